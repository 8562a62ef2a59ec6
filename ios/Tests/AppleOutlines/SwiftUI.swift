// An outline of SwiftUI: declarations of what App uses of it, written by hand from
// Apple's documentation. It lets Linux check the types in App; nothing here does
// anything, and an outline that is wrong proves nothing.

@_exported import Foundation
@_exported import Observation
@_exported import UIKit

@MainActor @preconcurrency public protocol View {
    associatedtype Body: View
    @ViewBuilder var body: Body { get }
}
extension Never: View {
    public var body: Never { fatalError() }
}
public protocol Prim: View where Body == Never {}
extension Prim {
    public var body: Never { fatalError() }
}
public struct EmptyView: Prim {
    public nonisolated init() {}
}
public struct TupleView<T>: Prim { nonisolated init() {} }
public struct CondView<A, B>: Prim { nonisolated init() {} }
public struct AnyV: Prim {
    public init() {}
}
extension Optional: View where Wrapped: View {
    public var body: Never { fatalError() }
}
@resultBuilder public struct ViewBuilder {
    public static func buildExpression<C: View>(_ c: C) -> C { c }
    public static func buildBlock() -> EmptyView { EmptyView() }
    public static func buildBlock<C: View>(_ c: C) -> C { c }
    @_disfavoredOverload public static func buildBlock<each C: View>(_ c: repeat each C) -> TupleView<(repeat each C)> { TupleView() }
    public static func buildIf<C: View>(_ c: C?) -> C? { c }
    public static func buildEither<A: View, B: View>(first: A) -> CondView<A, B> { CondView() }
    public static func buildEither<A: View, B: View>(second: B) -> CondView<A, B> { CondView() }
}
public protocol ShapeStyle: Sendable {}
public struct Color: ShapeStyle, Hashable, Prim, Sendable {
    public nonisolated init(uiColor: UIColor) {}
    public func opacity(_ o: Double) -> Color { self }
}
@MainActor public protocol Shape: View, Sendable {}
public protocol InsettableShape: Shape {}
extension Shape {
    public func fill<S: ShapeStyle>(_ s: S) -> some View { AnyV() }
}
extension InsettableShape {
    public func strokeBorder<S: ShapeStyle>(_ s: S, lineWidth: Double = 1) -> some View { AnyV() }
}
public struct Rectangle: InsettableShape, Prim {
    public nonisolated init() {}
}
public struct RoundedRectangle: InsettableShape, Prim {
    public nonisolated init(cornerRadius: Double) {}
}
extension Shape where Self == RoundedRectangle {
    public nonisolated static func rect(cornerRadius: Double) -> RoundedRectangle { .init(cornerRadius: cornerRadius) }
}
public struct Alignment: Sendable {
    public static let leading = Alignment(), top = Alignment(), center = Alignment()
}
public struct HorizontalAlignment: Sendable {
    public static let leading = HorizontalAlignment(), center = HorizontalAlignment()
}
public struct VerticalAlignment: Sendable {
    public static let center = VerticalAlignment(), firstTextBaseline = VerticalAlignment()
}
public struct Edge: Sendable {
    public struct Set: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }
        public static let vertical = Set(rawValue: 1), horizontal = Set(rawValue: 2), bottom = Set(rawValue: 4), all = Set(rawValue: 7)
    }
}
public enum VerticalEdge: Sendable { case top, bottom }
public enum Axis: Sendable { case vertical, horizontal }
public struct VStack<C: View>: Prim {
    public init(alignment: HorizontalAlignment = .center, spacing: Double? = nil, @ViewBuilder content: () -> C) {}
}
public struct LazyVStack<C: View>: Prim {
    public init(alignment: HorizontalAlignment = .center, spacing: Double? = nil, @ViewBuilder content: () -> C) {}
}
public struct HStack<C: View>: Prim {
    public init(alignment: VerticalAlignment = .center, spacing: Double? = nil, @ViewBuilder content: () -> C) {}
}
public struct GridItem: Sendable {
    public enum Size: Sendable { case adaptive(minimum: Double, maximum: Double = .infinity) }
    public init(_ s: Size, spacing: Double? = nil) {}
}
public struct LazyVGrid<C: View>: Prim {
    public init(columns: [GridItem], spacing: Double? = nil, @ViewBuilder content: () -> C) {}
}
public struct ScrollView<C: View>: Prim {
    public init(@ViewBuilder content: () -> C) {}
}
public struct NavigationStack<C: View>: Prim {
    public init(@ViewBuilder root: () -> C) {}
}
public struct ForEach<D, I, C: View>: Prim {
    public init(_ d: D, @ViewBuilder content: @escaping (D.Element) -> C)
    where D: RandomAccessCollection, D.Element: Identifiable, I == D.Element.ID {}
}
public protocol Layout {}
public struct VStackLayout: Layout {
    public init(alignment: HorizontalAlignment = .center, spacing: Double? = nil) {}
}
public struct HStackLayout: Layout {
    public init(alignment: VerticalAlignment = .center, spacing: Double? = nil) {}
}
@MainActor public struct AnyLayout {
    public nonisolated init(_ l: some Layout) {}
    public func callAsFunction<V: View>(@ViewBuilder _ c: () -> V) -> some View { AnyV() }
}
public struct Text: Prim {
    public init<S: StringProtocol>(_ s: S) {}
    public func fontWeight(_ w: Font.Weight?) -> Text { self }
    public func monospacedDigit() -> Text { self }
}
public struct Image: Prim {
    public init(systemName: String) {}
    public init(uiImage: UIImage) {}
    public func resizable() -> Image { self }
}
public struct Label<T, I>: Prim {
    public init<S: StringProtocol>(_ s: S, systemImage: String) where T == Text, I == Image {}
}
public struct ButtonRole: Sendable {
    public static let cancel = ButtonRole(), destructive = ButtonRole()
}
public struct Button<L: View>: Prim {
    public init(action: @escaping @MainActor () -> Void, @ViewBuilder label: () -> L) {}
    public init<S: StringProtocol>(_ t: S, action: @escaping @MainActor () -> Void) where L == Text {}
    public init<S: StringProtocol>(_ t: S, role: ButtonRole?, action: @escaping @MainActor () -> Void) where L == Text {}
    public init<S: StringProtocol>(_ t: S, systemImage: String, action: @escaping @MainActor () -> Void) where L == Text {}
}
public struct TextField<L: View>: Prim {
    public init<S: StringProtocol>(_ t: S, text: Binding<String>, axis: Axis) where L == Text {}
    public init<S: StringProtocol>(_ t: S, text: Binding<String>, prompt: Text?, axis: Axis) where L == Text {}
}
public struct ProgressView<L, C>: Prim {
    public init() where L == EmptyView, C == EmptyView {}
    public init(@ViewBuilder label: () -> L) where L: View, C == EmptyView {}
    public init<V: BinaryFloatingPoint>(value: V?, total: V = 1.0) where L == EmptyView, C == EmptyView {}
}
@propertyWrapper @dynamicMemberLookup public struct Binding<T> {
    public init(get: @escaping @MainActor () -> T, set: @escaping @MainActor (T) -> Void) {}
    public static func constant(_ t: T) -> Binding<T> { fatalError() }
    public var wrappedValue: T {
        get { fatalError() }
        nonmutating set {}
    }
    public var projectedValue: Binding<T> { self }
    public subscript<S>(dynamicMember k: WritableKeyPath<T, S>) -> Binding<S> { fatalError() }
}
@propertyWrapper @MainActor @preconcurrency public struct State<T> {
    public nonisolated init(wrappedValue: T) {}
    public var wrappedValue: T {
        get { fatalError() }
        nonmutating set {}
    }
    public var projectedValue: Binding<T> { fatalError() }
}
@propertyWrapper @dynamicMemberLookup public struct Bindable<T> {
    public init(wrappedValue: T) { self.wrappedValue = wrappedValue }
    public var wrappedValue: T
    public var projectedValue: Bindable<T> { self }
    public subscript<S>(dynamicMember k: ReferenceWritableKeyPath<T, S>) -> Binding<S> where T: AnyObject { fatalError() }
}
public struct EnvironmentValues {
    public init() {}
    public subscript<K: EnvironmentKey>(k: K.Type) -> K.Value {
        get { K.defaultValue }
        set {}
    }
    public var dynamicTypeSize: DynamicTypeSize {
        get { .large }
        set {}
    }
    public var scenePhase: ScenePhase {
        get { .active }
        set {}
    }
}
public protocol EnvironmentKey {
    associatedtype Value
    static var defaultValue: Value { get }
}
@propertyWrapper public struct Environment<T> {
    public init(_ k: KeyPath<EnvironmentValues, T>) {}
    public var wrappedValue: T { fatalError() }
}
public enum DynamicTypeSize: Sendable {
    case large
    public var isAccessibilitySize: Bool { false }
}
public enum ScenePhase: Sendable { case active, inactive, background }
public struct Font: Sendable {
    public enum TextStyle: Sendable { case subheadline, body, title2, largeTitle }
    public struct Weight: Hashable, Sendable { public static let regular = Weight(), semibold = Weight() }
    public static func system(size: Double, weight: Weight? = nil) -> Font { Font() }
}
@propertyWrapper public struct ScaledMetric<V: BinaryFloatingPoint> {
    public init(wrappedValue: V, relativeTo: Font.TextStyle) { self.wrappedValue = wrappedValue }
    public let wrappedValue: V
}
@MainActor @preconcurrency public protocol ViewModifier {
    associatedtype Body: View
    typealias Content = AnyV
    @ViewBuilder func body(content: Content) -> Body
}
public protocol PrimitiveButtonStyle {}
public struct BPS: PrimitiveButtonStyle {}
public struct BS: PrimitiveButtonStyle {}
public struct PS: PrimitiveButtonStyle {}
extension PrimitiveButtonStyle where Self == BPS {
    public static var borderedProminent: BPS { BPS() }
}
extension PrimitiveButtonStyle where Self == BS {
    public static var bordered: BS { BS() }
}
extension PrimitiveButtonStyle where Self == PS {
    public static var plain: PS { PS() }
}
public struct ButtonBorderShape: Sendable {
    public static func roundedRectangle(radius: Double) -> Self { Self() }
}
public enum Visibility: Sendable { case visible, hidden }
public struct AccessibilityTraits: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let isHeader = Self(rawValue: 1), isImage = Self(rawValue: 2), isSelected = Self(rawValue: 4)
}
public enum AccessibilityChildBehavior: Sendable { case combine, contain, ignore }
public enum AccessibilityNotification {
    public struct Announcement {
        public init(_ s: String) {}
        public func post() {}
    }
}
public struct TextInputAutocapitalization: Sendable {
    public static var never: Self { Self() }
}
public enum TextAlignment: Sendable { case center, leading }
public struct ScrollBounceBehavior: Sendable {
    public static let basedOnSize = Self()
}
public enum TitleDisplayMode: Sendable { case inline }
public struct ToolbarItemPlacement: Sendable {
    public static let cancellationAction = Self()
}
@MainActor public protocol ToolbarContent {}
public struct ToolbarItem<C: View>: ToolbarContent {
    public nonisolated init(placement: ToolbarItemPlacement, @ViewBuilder content: () -> C) {}
}
@resultBuilder public struct ToolbarContentBuilder {
    public static func buildBlock<C: ToolbarContent>(_ c: C) -> C { c }
}
public struct Path: Shape, Prim {
    public nonisolated init() {}
    public nonisolated init(_ r: CGRect) {}
    public nonisolated init(ellipseIn: CGRect) {}
    public mutating nonisolated func addLines(_ p: [CGPoint]) {}
    public mutating nonisolated func closeSubpath() {}
}
public struct FillStyle: Sendable {
    public init(eoFill: Bool = false) {}
}
public enum CGLineCap: Sendable { case round }
public enum CGLineJoin: Sendable { case round }
public struct StrokeStyle: Sendable {
    public init(lineWidth: Double = 1, lineCap: CGLineCap = .round, lineJoin: CGLineJoin = .round) {}
}
public struct Angle: Sendable {
    public static func radians(_ r: Double) -> Angle { Angle() }
}
public struct GraphicsContext {
    public struct Shading { public static func color(_ c: Color) -> Shading { Shading() } }
    public func fill(_ p: Path, with: Shading, style: FillStyle = FillStyle()) {}
    public func stroke(_ p: Path, with: Shading, lineWidth: Double = 1) {}
    public func stroke(_ p: Path, with: Shading, style: StrokeStyle) {}
    public mutating func translateBy(x: Double, y: Double) {}
    public mutating func rotate(by: Angle) {}
}
public struct Canvas<S>: Prim {
    public init(renderer: @escaping (inout GraphicsContext, CGSize) -> Void) where S == EmptyView {}
}
public struct TabView<S: Hashable, C: View>: Prim {
    public init(selection: Binding<S>?, @ViewBuilder content: () -> C) {}
}
@MainActor @preconcurrency public protocol UIViewControllerRepresentable: View where Body == Never {
    associatedtype UIViewControllerType: UIViewController
    associatedtype Coordinator = Void
    typealias Context = UIViewControllerRepresentableContext<Self>
    func makeUIViewController(context: Context) -> UIViewControllerType
    func updateUIViewController(_ c: UIViewControllerType, context: Context)
    func makeCoordinator() -> Coordinator
}
extension UIViewControllerRepresentable {
    public var body: Never { fatalError() }
}
@MainActor public struct UIViewControllerRepresentableContext<R: UIViewControllerRepresentable> {
    public let coordinator: R.Coordinator
}
@MainActor @preconcurrency public protocol Scene {
    associatedtype Body: Scene
    @SceneBuilder var body: Body { get }
}
extension Never: Scene {}
@resultBuilder public struct SceneBuilder {
    public static func buildBlock<C: Scene>(_ c: C) -> C { c }
}
public struct WindowGroup<C: View>: Scene {
    public init(@ViewBuilder content: () -> C) {}
    public var body: Never { fatalError() }
}
extension Scene {
    public func onChange<V: Equatable>(of v: V, initial: Bool = false, _ a: @escaping (V, V) -> Void) -> some Scene { self }
}
@MainActor @preconcurrency public protocol App {
    associatedtype Body: Scene
    @SceneBuilder var body: Body { get }
    init()
}
extension App {
    public static func main() {}
}
@propertyWrapper @MainActor public struct UIApplicationDelegateAdaptor<D: NSObject & UIApplicationDelegate> {
    public init(_ t: D.Type = D.self) {}
    public var wrappedValue: D { fatalError() }
}
extension View {
    public func font(_ f: Font?) -> some View { self }
    public func fontWeight(_ w: Font.Weight?) -> some View { self }
    public func monospacedDigit() -> some View { self }
    public func lineSpacing(_ d: Double) -> some View { self }
    public func lineLimit(_ r: ClosedRange<Int>) -> some View { self }
    public func modifier<M: ViewModifier>(_ m: M) -> some View { AnyV() }
    public func foregroundStyle<S: ShapeStyle>(_ s: S) -> some View { self }
    public func frame(width: Double? = nil, height: Double? = nil, alignment: Alignment = .center) -> some View { self }
    public func frame(
        minWidth: Double? = nil, maxWidth: Double? = nil, minHeight: Double? = nil, maxHeight: Double? = nil, alignment: Alignment = .center
    ) -> some View { self }
    public func padding(_ d: Double) -> some View { self }
    public func padding(_ e: Edge.Set = .all, _ d: Double? = nil) -> some View { self }
    public func background<S: ShapeStyle>(_ s: S) -> some View { self }
    public func background<S: ShapeStyle, T: InsettableShape>(_ s: S, in: T) -> some View { self }
    public func overlay<V: View>(alignment: Alignment = .center, @ViewBuilder content: () -> V) -> some View { self }
    public func clipShape<S: Shape>(_ s: S) -> some View { self }
    public func tint(_ c: Color?) -> some View { self }
    public func environment<T>(_ k: WritableKeyPath<EnvironmentValues, T>, _ v: T) -> some View { self }
    public func onOpenURL(perform: @escaping (URL) -> Void) -> some View { self }
    public func task(@_inheritActorContext _ a: @escaping @Sendable () async -> Void) -> some View { self }
    public func onAppear(perform: (() -> Void)? = nil) -> some View { self }
    public func disabled(_ b: Bool) -> some View { self }
    public func buttonStyle<S: PrimitiveButtonStyle>(_ s: S) -> some View { self }
    public func buttonBorderShape(_ s: ButtonBorderShape) -> some View { self }
    public func multilineTextAlignment(_ t: TextAlignment) -> some View { self }
    public func scrollBounceBehavior(_ b: ScrollBounceBehavior) -> some View { self }
    public func accessibilityElement(children: AccessibilityChildBehavior = .ignore) -> some View { self }
    public func accessibilityHidden(_ b: Bool) -> some View { self }
    public func accessibilityLabel<S: StringProtocol>(_ s: S) -> some View { self }
    public func accessibilityValue<S: StringProtocol>(_ s: S) -> some View { self }
    public func accessibilityAddTraits(_ t: AccessibilityTraits) -> some View { self }
    public func fullScreenCover<C: View>(
        isPresented: Binding<Bool>, onDismiss: (() -> Void)? = nil, @ViewBuilder content: @escaping () -> C
    ) -> some View { self }
    public func safeAreaInset<C: View>(edge: VerticalEdge, spacing: Double? = nil, @ViewBuilder content: () -> C) -> some View { self }
    public func tabItem<V: View>(@ViewBuilder _ l: () -> V) -> some View { self }
    public func tag<V: Hashable>(_ v: V) -> some View { self }
    public func keyboardType(_ k: UIKeyboardType) -> some View { self }
    public func textInputAutocapitalization(_ t: TextInputAutocapitalization?) -> some View { self }
    public func autocorrectionDisabled(_ b: Bool = true) -> some View { self }
    public func confirmationDialog<S: StringProtocol, A: View, M: View>(
        _ t: S, isPresented: Binding<Bool>, titleVisibility: Visibility, @ViewBuilder actions: () -> A, @ViewBuilder message: () -> M
    ) -> some View { self }
    public func confirmationDialog<S: StringProtocol, A: View>(
        _ t: S, isPresented: Binding<Bool>, titleVisibility: Visibility, @ViewBuilder actions: () -> A
    ) -> some View { self }
    public func alert<S: StringProtocol, A: View, M: View>(
        _ t: S, isPresented: Binding<Bool>, @ViewBuilder actions: () -> A, @ViewBuilder message: () -> M
    ) -> some View { self }
    public func navigationTitle<S: StringProtocol>(_ s: S) -> some View { self }
    public func navigationBarTitleDisplayMode(_ m: TitleDisplayMode) -> some View { self }
    public func toolbar<C: ToolbarContent>(@ToolbarContentBuilder content: () -> C) -> some View { self }
    public func interactiveDismissDisabled(_ b: Bool = true) -> some View { self }
    public func ignoresSafeArea() -> some View { self }
}
extension Image {
    public func scaledToFit() -> some View { self }
}
