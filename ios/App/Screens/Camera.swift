import GridwalkKit
import SwiftUI
import UIKit

/// The system's camera. Nothing is kept in the phone's photo library.
struct Camera: UIViewControllerRepresentable {
    /// A JPEG, or nothing where the user left.
    let onPhoto: (Data?) -> Void

    static var isThere: Bool { UIImagePickerController.isSourceTypeAvailable(.camera) }

    func makeUIViewController(context: Context) -> UIImagePickerController {
        let picker = UIImagePickerController()
        picker.sourceType = .camera
        picker.delegate = context.coordinator
        return picker
    }

    func updateUIViewController(_: UIImagePickerController, context _: Context) {}

    func makeCoordinator() -> Coordinator { Coordinator(onPhoto) }

    final class Coordinator: NSObject, UIImagePickerControllerDelegate, UINavigationControllerDelegate {
        private let onPhoto: (Data?) -> Void

        init(_ onPhoto: @escaping (Data?) -> Void) {
            self.onPhoto = onPhoto
        }

        func imagePickerController(_: UIImagePickerController, didFinishPickingMediaWithInfo info: [UIImagePickerController.InfoKey: Any]) {
            onPhoto((info[.originalImage] as? UIImage).flatMap { Self.jpeg($0) })
        }

        func imagePickerControllerDidCancel(_: UIImagePickerController) {
            onPhoto(nil)
        }

        /// As large as is needed to see what it shows. Drawing it anew also
        /// turns it upright.
        private static func jpeg(_ image: UIImage) -> Data? {
            let fitted = PhotoSize.fitted(width: image.size.width, height: image.size.height)
            let size = CGSize(width: fitted.width, height: fitted.height)
            let format = UIGraphicsImageRendererFormat()
            format.scale = 1
            let drawn = UIGraphicsImageRenderer(size: size, format: format).image { _ in image.draw(in: CGRect(origin: .zero, size: size)) }
            return drawn.jpegData(compressionQuality: PhotoSize.quality)
        }
    }
}
