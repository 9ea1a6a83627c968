//! Coming in, signing up, forgotten passwords.

use crate::kernel::Operation;

pub(super) fn operations() -> Vec<Operation> {
    Vec::new()
}
