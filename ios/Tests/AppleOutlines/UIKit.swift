// An outline of UIKit: declarations of what App uses of it, written by hand from
// Apple's documentation. It lets Linux check the types in App; nothing here does
// anything, and an outline that is wrong proves nothing.

@_exported import Foundation

@MainActor open class UIResponder: NSObject {
    public override init() { super.init() }
}
@MainActor public protocol UIApplicationDelegate: NSObjectProtocol {
    func application(_ a: UIApplication, didFinishLaunchingWithOptions o: [UIApplication.LaunchOptionsKey: Any]?) -> Bool
}
public struct UIBackgroundTaskIdentifier: Equatable, Sendable {
    public static let invalid = UIBackgroundTaskIdentifier()
}
@MainActor open class UIApplication: UIResponder {
    public struct LaunchOptionsKey: Hashable, Sendable {}
    public enum State { case active, inactive, background }
    public static let shared = UIApplication()
    public static let openSettingsURLString = ""
    public var applicationState: State { .active }
    public func beginBackgroundTask(expirationHandler: (@MainActor @Sendable () -> Void)? = nil) -> UIBackgroundTaskIdentifier { .invalid }
    public func endBackgroundTask(_ i: UIBackgroundTaskIdentifier) {}
    @discardableResult public func open(_ url: URL) async -> Bool { true }
}
public enum UIUserInterfaceStyle: Sendable { case light, dark }
open class UITraitCollection: NSObject, @unchecked Sendable {
    public var userInterfaceStyle: UIUserInterfaceStyle { .light }
}
open class UIColor: NSObject, @unchecked Sendable {
    public init(red: Double, green: Double, blue: Double, alpha: Double) {}
    public init(dynamicProvider: @escaping @Sendable (UITraitCollection) -> UIColor) {}
}
@MainActor open class UIFeedbackGenerator: NSObject {}
@MainActor open class UINotificationFeedbackGenerator: UIFeedbackGenerator {
    public enum FeedbackType { case success, error }
    public override init() {}
    public func notificationOccurred(_ t: FeedbackType) {}
}
open class UIImage: NSObject, @unchecked Sendable {
    public convenience init?(data: Data) { self.init() }
    public override init() {}
    public var size: CGSize { .zero }
    public func draw(in r: CGRect) {}
    public func jpegData(compressionQuality: Double) -> Data? { nil }
}
open class UIGraphicsImageRendererFormat: NSObject {
    public var scale = 1.0
    public override init() {}
}
open class UIGraphicsImageRendererContext: NSObject {}
open class UIGraphicsImageRenderer: NSObject {
    public init(size: CGSize, format: UIGraphicsImageRendererFormat) {}
    public func image(actions: (UIGraphicsImageRendererContext) -> Void) -> UIImage { UIImage() }
}
@MainActor open class UIViewController: UIResponder {}
@MainActor open class UINavigationController: UIViewController {}
@MainActor public protocol UINavigationControllerDelegate: NSObjectProtocol {}
@MainActor public protocol UIImagePickerControllerDelegate: NSObjectProtocol {
    func imagePickerController(_ p: UIImagePickerController, didFinishPickingMediaWithInfo info: [UIImagePickerController.InfoKey: Any])
    func imagePickerControllerDidCancel(_ p: UIImagePickerController)
}
@MainActor open class UIImagePickerController: UINavigationController {
    public struct InfoKey: Hashable, Sendable {
        public static let originalImage = InfoKey()
    }
    public enum SourceType { case camera }
    public static func isSourceTypeAvailable(_ s: SourceType) -> Bool { true }
    public var sourceType: SourceType = .camera
    public weak var delegate: (any UIImagePickerControllerDelegate & UINavigationControllerDelegate)?
}
public enum UIKeyboardType: Sendable { case asciiCapable, URL }
