// swift-tools-version: 6.0
import PackageDescription
let package = Package(name: "Gridwalk", targets: [
  .target(name: "GridwalkKit"),
  .testTarget(name: "GridwalkKitTests", dependencies: ["GridwalkKit"], linkerSettings: [.unsafeFlags(["-Xlinker", "--allow-shlib-undefined"])]),
])
