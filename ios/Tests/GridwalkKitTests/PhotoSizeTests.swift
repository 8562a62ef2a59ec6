import Testing

@testable import GridwalkKit

@Suite("The size of photos") struct PhotoSizeTests {
    @Test(arguments: [(4032.0, 3024.0, 2048.0, 1536.0), (3024, 4032, 1536, 2048), (640, 480, 640, 480), (9000, 1, 2048, 1)])
    func fitted(width: Double, height: Double, wide: Double, high: Double) {
        #expect(PhotoSize.fitted(width: width, height: height) == (wide, high))
    }
}
