//! The help desk in real time: events over WebSockets, to those who may see them.
//!
//! A [`Hub`] is a notifier of the help desk: it is told of each committed event and hands it to the clients that are
//! connected. In which words they are told is the business of an API's [`Feed`](helpdesk_core::events::Feed); this crate
//! knows none. A [`Socket`] is the door for the clients of one API: it takes over connections of whatever HTTP server
//! asks it to, and [`serve`] puts it on a listener of its own.
//!
//! # What is said on a connection
//!
//! A client says who it is with a token in the header `Authorization`, in the query (`?token=`), or in its first
//! message. Then it is told of everything that its account may see from then on, in the words of the API.
//!
//! | the client says | the server answers |
//! | --- | --- |
//! | `{"type": "auth", "token": …}` | `{"type": "ready", "last_event_id": …, "events": […], …}`, or, with a fresh token later, `{"type": "authenticated", …}` |
//! | `{"type": "subscribe", "events": […], "tickets": […]}` | `{"type": "subscribed", …}` |
//! | `{"type": "unsubscribe", "events": […], "tickets": […]}` | the same |
//! | `{"type": "ping"}` | `{"type": "pong"}` |
//! | anything else | `{"type": "error", "code": …, "message": …}` |
//!
//! `subscribe` adds to what is told; whoever wanted everything until then is told of what is named alone. Without
//! names, `subscribe` is everything and `unsubscribe` nothing.
//!
//! Each event has an `id`. A client that comes back names the last one (`?last_event_id=`, or `last_event_id` in `auth`
//! or in the first `subscribe`), is told what it missed without gaps or repeats, and then `{"type": "resumed", …}`; where
//! that is too much, `{"type": "reset", …}` asks it to load everything anew.
//!
//! `{"type": "auth_expiring", …}` comes a minute before the token ends. A client that has not sent a fresh one by then
//! is closed with [`codes::UNAUTHENTICATED`], as is one whose session or account ends, at once. While a client is told
//! what it missed nothing that it says is heard, and whether it may stay is asked before every few events.
//!
//! # What is promised
//!
//! - Who may see what is asked for each client as it is told, with its rights of that moment.
//! - An event is read from the store once, and put into words once for all clients that have the same view of it.
//! - Nobody waits for a slow client: one that is too far behind, or does not take what it is sent, is closed with
//!   [`codes::SLOW`] and may come back with the last id.
//! - What was missed is read a little at a time, for a few clients at a time, and nobody's turn waits for another to take
//!   what was read. Who is not told all of it within [`Settings::catch_up`] is closed, with [`codes::SLOW`] or, where the
//!   server had too much to do, 1013, and goes on from the last id.
//! - The end of the server waits for nobody.
//! - Every queue, message and number of connections has a bound: see [`Settings`].

mod channel;
pub mod codes;
mod hub;
mod news;
mod serve;
mod session;
mod settings;
mod socket;

pub use self::hub::Hub;
pub use self::serve::serve;
pub use self::settings::Settings;
pub use self::socket::{Refusal, Request, Socket};
