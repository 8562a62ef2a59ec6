import GridwalkFFI
import GridwalkKit
import Network

/// The phone's network as the system sees it.
struct PathNetwork: NetworkWatch {
    func costs() -> AsyncStream<NetworkCost> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { feed in
            let monitor = NWPathMonitor()
            monitor.pathUpdateHandler = { feed.yield(NetworkCost($0)) }
            feed.onTermination = { _ in monitor.cancel() }
            monitor.start(queue: .global(qos: .utility))
        }
    }
}

extension NetworkCost {
    fileprivate init(_ path: NWPath) {
        switch path.status {
        // Who asked all apps to save data is treated as one who pays.
        case .satisfied where path.isConstrained || path.isExpensive: self = .metered
        case .satisfied: self = .unmetered
        default: self = .offline
        }
    }
}
