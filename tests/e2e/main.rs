//! The help desk from end to end: a real server, real sockets.

mod authorization;
mod bad_input;
mod committed;
mod contracts;
mod crash;
mod kernel;
mod security;
mod smartsupport;
mod support;
mod supportdesk;
