//! Organizations: the companies that contacts belong to.

use crate::kernel::Operation;

pub(super) fn operations() -> Vec<Operation> {
    Vec::new()
}
