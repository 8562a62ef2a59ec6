import Foundation
import GridwalkFFI
import XCTest

// What the tests need around the library: a real server, phones, a trace. The
// scenarios bear the same names in every language (tests/bindings).

let grid = "990001001001001"

/// The repository, from this file's own place in it.
let repository = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// The real server, on a port of its own.
final class Server: @unchecked Sendable {
    private let folder: URL
    private let program: URL
    private var listen = "127.0.0.1:0"
    private var workers = 0
    private var process: Process?

    var url: String { "http://\(listen)" }

    init(_ folder: URL) throws {
        self.folder = folder
        program = URL(filePath: try XCTUnwrap(ProcessInfo.processInfo.environment["GRIDWALK_SERVER"], "run these by ios/linux-test"))
        _ = try verb("import", [repository.appending(path: "tests/bindings/grids.geojson").path, "--crs", "wgs84"])
        try start()
    }

    func start() throws {
        let process = Process()
        process.executableURL = program
        process.arguments = ["serve", "--data", folder.path, "--listen", listen]
        let out = Pipe()
        process.standardOutput = out
        let log = folder.path + ".log"
        if !FileManager.default.fileExists(atPath: log) { _ = FileManager.default.createFile(atPath: log, contents: nil) }
        let handle = try XCTUnwrap(FileHandle(forWritingAtPath: log))
        try handle.seekToEnd()
        process.standardError = handle
        try process.run()
        self.process = process
        var told = ""
        while true {
            let data = out.fileHandleForReading.availableData
            guard !data.isEmpty else { throw Failed("the server ended: \(try String(contentsOfFile: log, encoding: .utf8))") }
            told += String(decoding: data, as: UTF8.self)
            if let found = try /http:\/\/([\d.]+:\d+)/.firstMatch(in: told) {
                // The same port again after a stop: the phones know this address.
                listen = String(found.output.1)
                return
            }
        }
    }

    func stop() {
        process?.terminate()
        process?.waitUntilExit()
        process = nil
    }

    /// A one-time code for a worker who is new.
    func invitation() throws -> String {
        workers += 1
        let told = try verb("enrol", ["--url", url, "--grid", grid, "测试网格员\(workers)"])
        return String(try XCTUnwrap(try /gridwalk:\/\/enrol\?\S+/.firstMatch(in: told), told).output)
    }

    /// What the server itself says that it holds.
    func holdings() throws -> Holdings {
        try JSONDecoder().decode(Holdings.self, from: Data(verb("holdings", []).utf8))
    }

    private func verb(_ verb: String, _ arguments: [String]) throws -> String {
        let (status, told) = try run(program, [verb, "--data", folder.path] + arguments)
        guard status == 0 else { throw Failed("\(verb): \(told)") }
        return told
    }
}

struct Holdings: Decodable {
    struct Patrol: Decodable {
        let id: String
        let fixesStored: Int

        enum CodingKeys: String, CodingKey {
            case id
            case fixesStored = "fixes_stored"
        }
    }

    let patrols: [Patrol]
    let incidents: [String]
    let attachments: [String]
}

struct Failed: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Runs a program to its end.
func run(_ program: URL, _ arguments: [String]) throws -> (status: Int32, told: String) {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    let out = Pipe()
    process.standardOutput = out
    process.standardError = out
    try process.run()
    let told = out.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: told, as: UTF8.self))
}

/// A phone's folder and key; what is in memory comes and goes.
struct Phone: Sendable {
    let folder: URL
    let key: Data

    init(_ folder: URL) throws {
        self.folder = folder
        key = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) })
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    var path: String { folder.appending(path: "phone.db").path }

    func options(key: Data? = nil) -> OpenOptions {
        OpenOptions(path: path, key: key ?? self.key, platform: "ios", app: "0.0.0")
    }

    func open() throws -> Engine { try Engine.open(options: options()) }
}

func nowMs() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

/// Fixes of a real trace, moved in time alone, so that the last is at `ends`.
func trace(_ rows: Range<Int>, ends: Int64) throws -> [Fix] {
    try trace(rows) { _, last in ends - last }
}

/// Fixes of a real trace, moved in time alone, so that the first is at `starts`.
func trace(_ rows: Range<Int>, starts: Int64) throws -> [Fix] {
    try trace(rows) { first, _ in starts - first }
}

private func trace(_ rows: Range<Int>, by shift: (Int64, Int64) -> Int64) throws -> [Fix] {
    let file = repository.appending(path: "tests/fixtures/tracks/phone_304_to_ul_2019_02_18_0745.csv")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst()
    let cells = Array(lines)[rows].map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    let times = cells.map { Int64($0[0]) ?? 0 }
    let moved = shift(times[0], times[times.count - 1])
    return zip(times, cells).map { time, cell in
        Fix(
            timeMs: time + moved, lat: Double(cell[1]) ?? .nan, lon: Double(cell[2]) ?? .nan, accuracyM: Float(cell[4]),
            altitudeM: Float(cell[3]),
            speedMps: Float(cell[5]), bearingDeg: Float(cell[6]), mocked: false)
    }
}

func incident(_ title: String, _ photos: NewPhoto..., category: String = "fire_safety") -> NewIncident {
    NewIncident(
        category: category, severity: nil, title: title, description: "三楼楼道堆放杂物，已拍照",
        place: Place(lat: 52.6291, lon: -8.6617, accuracyM: 8),
        photos: photos)
}

/// A PNG of noise, about this large.
func photo(_ kilobytes: Int) -> NewPhoto {
    let side = 256
    let rows = kilobytes * 1024 / side
    var noise = SystemRandomNumberGenerator()
    var pixels = [UInt8]()
    for _ in 0..<rows {
        pixels.append(0)
        for _ in 0..<side / 8 { withUnsafeBytes(of: noise.next()) { pixels.append(contentsOf: $0) } }
    }
    var png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    png += chunk("IHDR", bigEndian(UInt32(side)) + bigEndian(UInt32(rows)) + [8, 0, 0, 0, 0])
    png += chunk("IDAT", stored(pixels))
    png += chunk("IEND", [])
    return NewPhoto(bytes: Data(png), mime: "image/png")
}

private func bigEndian(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }

private func chunk(_ kind: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(kind.utf8) + data
    var crc: UInt32 = .max
    for byte in body {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
    }
    return bigEndian(UInt32(data.count)) + body + bigEndian(~crc)
}

/// A zlib stream that compresses nothing.
private func stored(_ data: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x78, 0x01]
    for start in stride(from: 0, to: data.count, by: 65_535) {
        let end = min(start + 65_535, data.count)
        let length = UInt16(end - start)
        out.append(end == data.count ? 1 : 0)
        for value in [length, ~length] { out += [UInt8(value & 0xFF), UInt8(value >> 8)] }
        out += data[start..<end]
    }
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in data {
        a = (a + UInt32(byte)) % 65_521
        b = (b + a) % 65_521
    }
    return out + bigEndian(b << 16 | a)
}

/// Memory of this process that is in RAM, in KB.
func residentKb() throws -> Int {
    let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
    return (Int(pages) ?? 0) * 4
}

/// Collects what a subscription tells, and on which threads.
final class Changes: Observer, @unchecked Sendable {
    private let condition = NSCondition()
    private var waiting: [Change] = []
    private var heardOn: Set<ObjectIdentifier> = []
    private let fails: Bool

    init(fails: Bool = false) {
        self.fails = fails
    }

    func changed(change: Change) throws {
        condition.withLock {
            heardOn.insert(ObjectIdentifier(Thread.current))
            waiting.append(change)
            condition.signal()
        }
        if fails { throw Failed("this observer always fails") }
    }

    var threads: Set<ObjectIdentifier> { condition.withLock { heardOn } }
    var isEmpty: Bool { condition.withLock { waiting.isEmpty } }

    func clear() { condition.withLock { waiting.removeAll() } }

    /// The next one; the limit only ends a run that would never end.
    func next() throws -> Change {
        try condition.withLock {
            let never = Date(timeIntervalSinceNow: 60)
            while waiting.isEmpty {
                guard condition.wait(until: never) else { throw Failed("nothing was told") }
            }
            return waiting.removeFirst()
        }
    }

    /// The first one from which something can be taken.
    func until<T>(_ taken: (Change) -> T?) throws -> T {
        while true {
            if let found = taken(try next()) { return found }
        }
    }
}

/// Collects progress; may do something at each step.
final class Steps: SyncObserver, @unchecked Sendable {
    private let lock = NSLock()
    private var all: [SyncProgress] = []
    private let then: @Sendable (SyncProgress) throws -> Void

    init(then: @escaping @Sendable (SyncProgress) throws -> Void = { _ in }) {
        self.then = then
    }

    var seen: [SyncProgress] { lock.withLock { all } }

    func progress(progress: SyncProgress) throws {
        lock.withLock { all.append(progress) }
        try then(progress)
    }
}

/// That a call fails with just this error.
func expect(_ fits: (EngineError) -> Bool, file: StaticString = #filePath, line: UInt = #line, _ call: () throws -> some Any) {
    do {
        let got = try call()
        XCTFail("no error, but \(got)", file: file, line: line)
    } catch let error as EngineError {
        XCTAssert(fits(error), "\(error)", file: file, line: line)
    } catch {
        XCTFail("another kind of error: \(error)", file: file, line: line)
    }
}
