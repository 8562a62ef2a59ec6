import GridwalkKit
import Network

/// The phone's network as the system sees it.
struct PathNetwork: NetworkWatch {
    func kinds() -> AsyncStream<NetworkKind> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { feed in
            let monitor = NWPathMonitor()
            monitor.pathUpdateHandler = { feed.yield(NetworkKind($0)) }
            feed.onTermination = { _ in monitor.cancel() }
            monitor.start(queue: .global(qos: .utility))
        }
    }
}

extension NetworkKind {
    fileprivate init(_ path: NWPath) {
        switch path.status {
        case .satisfied where path.isConstrained: self = .constrained
        case .satisfied where path.isExpensive: self = .metered
        case .satisfied: self = .free
        default: self = .none
        }
    }
}
