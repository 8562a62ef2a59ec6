//! The line between phones and server: a proxy on loopback that counts every
//! byte of HTTP, heads and bodies, in both directions.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// What went over the line.
#[derive(Default)]
pub(crate) struct Counters {
    up: AtomicU64,
    down: AtomicU64,
}

impl Counters {
    /// Bytes from phones to server.
    pub(crate) fn up(&self) -> u64 {
        self.up.load(Ordering::SeqCst)
    }

    /// Bytes from server to phones.
    pub(crate) fn down(&self) -> u64 {
        self.down.load(Ordering::SeqCst)
    }
}

/// Opens a line to `server`; returns where phones reach it.
///
/// # Errors
/// Where no port can be had on loopback.
pub(crate) fn open(server: SocketAddr) -> io::Result<(SocketAddr, Arc<Counters>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let counters = Arc::new(Counters::default());
    let counted = counters.clone();
    thread::spawn(move || {
        for phone in listener.incoming().flatten() {
            let counted = counted.clone();
            thread::spawn(move || carry(&phone, server, &counted));
        }
    });
    Ok((address, counters))
}

/// Carries one connection; when either side ends, so does the other. A phone
/// that cannot be connected sees its connection closed, as on a bad line.
fn carry(phone: &TcpStream, server: SocketAddr, counters: &Counters) {
    let Ok(server) = TcpStream::connect(server) else {
        return;
    };
    thread::scope(|scope| {
        scope.spawn(|| pump(phone, &server, &counters.up));
        pump(&server, phone, &counters.down);
    });
}

fn pump(mut from: &TcpStream, mut to: &TcpStream, counter: &AtomicU64) {
    let mut piece = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        counter.fetch_add(count as u64, Ordering::SeqCst);
        if to.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_carried_and_counted() {
        let server = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (address, counters) = open(server.local_addr().expect("bound")).expect("a line");
        let echo = thread::spawn(move || {
            let (mut phone, _) = server.accept().expect("a phone");
            let mut said = Vec::new();
            phone.read_to_end(&mut said).expect("reads");
            phone
                .write_all(&[said.as_slice(), b"!!"].concat())
                .expect("answers");
        });
        let mut phone = TcpStream::connect(address).expect("the line is open");
        phone.write_all(b"hello").expect("sends");
        phone.shutdown(Shutdown::Write).expect("done");
        let mut heard = String::new();
        phone.read_to_string(&mut heard).expect("hears");
        echo.join().expect("no panic");
        assert_eq!(
            (heard.as_str(), counters.up(), counters.down()),
            ("hello!!", 5, 7)
        );
    }
}
