import Foundation
import Testing

@testable import GridwalkKit

/// The repository, from this file's own place in it.
let repository = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

@Suite("Texts") struct TextsTests {
    /// The one source, read apart from the generator.
    private func source() throws -> [String: [String: String]] {
        let data = try Data(contentsOf: repository.appending(path: "bindings/strings/strings.json"))
        let all = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        return all.filter { !$0.key.hasPrefix("$") }.compactMapValues { $0 as? [String: String] }
    }

    @Test func theTableIsTheSource() throws {
        let source = try source()
        #expect(Set(Texts.table.keys) == Set(source.keys))
        for (key, texts) in source {
            #expect(Texts.table[key]?.zh == texts["zh"], "\(key)")
            #expect(Texts.table[key]?.en == texts["en"], "\(key)")
        }
    }

    @Test func noTextIsEmptyAndPlaceholdersAgree() throws {
        for (key, pair) in Texts.table {
            #expect(!pair.zh.isEmpty && !pair.en.isEmpty, "\(key)")
            let placeholder = /\{[a-z_]+\}/
            let zh = Set(pair.zh.matches(of: placeholder).map { String($0.output) })
            let en = Set(pair.en.matches(of: placeholder).map { String($0.output) })
            #expect(zh == en, "\(key)")
        }
    }

    @Test func valuesAreFilledOnceAndSpaced() {
        #expect(Texts(.en).unsentSomeSince(count: "3", age: "2 h ago") == "Not sent yet: 3 · oldest 2 h ago")
        #expect(Texts(.en).unsentSomeSince(count: "{age}", age: "now") == "Not sent yet: {age} · oldest now")
        #expect(Texts(.zh).known("no_such_key") == nil)
    }

    @Test func theUsersFirstLanguageOfOursCounts() {
        #expect(Language.preferred(among: ["fr-FR", "en-GB", "zh-Hans-CN"]) == .en)
        #expect(Language.preferred(among: ["zh-Hant-TW", "en"]) == .zh)
        #expect(Language.preferred(among: ["de"]) == .zh)
    }

    /// Where a language of ours is missing, Info.plist says it in both.
    @Test func theReasonsInInfoPlistAreOurs() throws {
        let project = try String(contentsOf: repository.appending(path: "ios/project.yml"), encoding: .utf8)
        for (name, key) in [("NSLocationWhenInUse", "reason_location"), ("NSCamera", "reason_camera")] {
            let pair = try #require(Texts.table[key])
            #expect(project.contains("\(name)UsageDescription: \(pair.zh) · \(pair.en)"))
        }
    }

    /// The screens are not compiled on Linux: each text that they name must exist.
    @Test func everyTextThatAScreenNamesExists() throws {
        let camel = { (key: String) in
            key.split(separator: "_").enumerated().map { $0 == 0 ? String($1) : $1.prefix(1).uppercased() + $1.dropFirst() }.joined()
        }
        // And what Texts has beside its keys.
        let known = Set(Texts.table.keys.map(camel)).union(["known", "language", "gap", "trouble", "advice", "either", "status"])
        let app = repository.appending(path: "ios/App")
        let files = try #require(FileManager.default.enumerator(at: app, includingPropertiesForKeys: nil))
        var named = 0
        for case let file as URL in files where file.pathExtension == "swift" {
            let code = try String(contentsOf: file, encoding: .utf8)
            for match in code.matches(of: /\btexts\.([a-zA-Z]+)/) {
                named += 1
                let isKnown = known.contains(String(match.output.1))
                #expect(isKnown, "\(file.lastPathComponent): texts.\(match.output.1)")
            }
        }
        #expect(named > 20)
    }
}
