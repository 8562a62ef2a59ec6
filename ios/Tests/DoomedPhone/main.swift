import Foundation
import GridwalkFFI

// A phone that records until it is killed: writes `acked N` after each fix.
// Arguments: the data file, its key in base 64, the repository.

let arguments = CommandLine.arguments
guard arguments.count == 4, let key = Data(base64Encoded: arguments[2]) else {
    FileHandle.standardError.write(Data("usage: DoomedPhone FILE KEY REPOSITORY\n".utf8))
    exit(2)
}
let engine = try Engine.open(options: OpenOptions(path: arguments[1], key: key, platform: "ios", app: "0.0.0"))
let file = URL(filePath: arguments[3]).appending(path: "tests/fixtures/tracks/phone_304_to_ul_2019_02_18_0745.csv")
let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst()
let cells = Array(rows)[700..<900].map { $0.split(separator: ",", omittingEmptySubsequences: false) }
let ends = Int64(Date().timeIntervalSince1970 * 1000) - 300_000
let shift = ends - (Int64(cells.last?[0] ?? "") ?? 0)
for cell in cells {
    let fix = Fix(
        timeMs: (Int64(cell[0]) ?? 0) + shift, lat: Double(cell[1]) ?? .nan, lon: Double(cell[2]) ?? .nan, accuracyM: Float(cell[4]),
        altitudeM: nil, speedMps: Float(cell[5]), bearingDeg: nil, mocked: false)
    let recorded = try engine.record(fixes: [fix])
    try FileHandle.standardOutput.write(contentsOf: Data("acked \(recorded.acked)\n".utf8))
}
// All fixes are there; the patrol stays open until somebody kills this.
_ = try FileHandle.standardInput.readToEnd()
