//! What is said on tickets, and their history.

use crate::kernel::Operation;

pub(super) fn operations() -> Vec<Operation> {
    Vec::new()
}
