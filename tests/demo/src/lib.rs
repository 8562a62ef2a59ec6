//! Drives the demo: simulated phones on real input against the real server.
