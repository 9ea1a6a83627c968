//! Groups.

use crate::kernel::Operation;

pub(super) fn operations() -> Vec<Operation> {
    Vec::new()
}
