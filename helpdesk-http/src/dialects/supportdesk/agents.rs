//! Agents: the people of the desk.

use crate::kernel::Operation;

pub(super) fn operations() -> Vec<Operation> {
    Vec::new()
}
