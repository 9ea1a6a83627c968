//! The help desk from end to end: a real server, real sockets.

mod contracts;
