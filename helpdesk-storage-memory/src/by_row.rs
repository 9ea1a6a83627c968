//! What there is for each row.
//!
//! Rows are small numbers that rise by one, so that a row's digits lead to what it has, a node a digit, without
//! a comparison; and nodes that are filled from the left stay full, as those of a search tree do not.

use std::sync::Arc;

use crate::rows::Row;

/// Bits of a row to a node. With more, a lookup passes fewer nodes and a change copies more pointers.
const BITS: u32 = 4;
const WIDTH: usize = 1 << BITS;

/// A map from rows. A clone shares everything until one of them changes.
#[derive(Clone, Debug)]
pub(crate) struct ByRow<T> {
    root: Option<Arc<Node<T>>>,
    /// How many nodes there are between the root and a leaf.
    levels: u32,
}

#[derive(Clone, Debug)]
enum Node<T> {
    Inner([Option<Arc<Node<T>>>; WIDTH]),
    Leaf([Option<T>; WIDTH]),
}

impl<T> Node<T> {
    fn empty(level: u32) -> Self {
        if level == 0 {
            Self::Leaf(std::array::from_fn(|_| None))
        } else {
            Self::Inner(std::array::from_fn(|_| None))
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Inner(nodes) => nodes.iter().all(Option::is_none),
            Self::Leaf(items) => items.iter().all(Option::is_none),
        }
    }

    fn values(&self) -> Box<dyn Iterator<Item = &T> + '_> {
        match self {
            Self::Inner(nodes) => Box::new(nodes.iter().flatten().flat_map(|node| node.values())),
            Self::Leaf(items) => Box::new(items.iter().flatten()),
        }
    }
}

/// The digit of a row that is looked at on a level; the leaves are level 0.
const fn digit(row: Row, level: u32) -> usize {
    (row >> (level * BITS)) as usize % WIDTH
}

impl<T> Default for ByRow<T> {
    fn default() -> Self {
        Self { root: None, levels: 0 }
    }
}

impl<T: Clone> ByRow<T> {
    pub(crate) fn get(&self, row: Row) -> Option<&T> {
        if !self.reaches(row) {
            return None;
        }
        let mut node = self.root.as_ref()?;
        let mut level = self.levels;
        loop {
            match &**node {
                Node::Inner(nodes) => node = nodes[digit(row, level)].as_ref()?,
                Node::Leaf(items) => return items[digit(row, 0)].as_ref(),
            }
            level -= 1;
        }
    }

    pub(crate) fn insert(&mut self, row: Row, item: T) {
        while !self.reaches(row) {
            self.levels += 1;
            if let Some(root) = self.root.take() {
                let mut node = Node::empty(self.levels);
                if let Node::Inner(nodes) = &mut node {
                    nodes[0] = Some(root);
                }
                self.root = Some(Arc::new(node));
            }
        }
        let mut level = self.levels;
        let mut node = self.root.get_or_insert_with(|| Arc::new(Node::empty(level)));
        loop {
            match Arc::make_mut(node) {
                Node::Inner(nodes) => {
                    let place = &mut nodes[digit(row, level)];
                    level -= 1;
                    node = place.get_or_insert_with(|| Arc::new(Node::empty(level)));
                }
                Node::Leaf(items) => {
                    items[digit(row, 0)] = Some(item);
                    return;
                }
            }
        }
    }

    pub(crate) fn remove(&mut self, row: Row) {
        if self.reaches(row)
            && let Some(root) = &mut self.root
            && remove(root, row, self.levels)
        {
            self.root = None;
        }
    }

    /// Everything, by row.
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.root.iter().flat_map(|root| root.values())
    }

    /// Whether the digits from the root on name the row.
    const fn reaches(&self, row: Row) -> bool {
        match row.checked_shr((self.levels + 1) * BITS) {
            Some(rest) => rest == 0,
            None => true,
        }
    }
}

/// Takes out what a row has; true if nothing is left.
fn remove<T: Clone>(node: &mut Arc<Node<T>>, row: Row, level: u32) -> bool {
    let node = Arc::make_mut(node);
    match node {
        Node::Inner(nodes) => {
            let place = &mut nodes[digit(row, level)];
            if place.as_mut().is_some_and(|node| remove(node, row, level - 1)) {
                *place = None;
            }
        }
        Node::Leaf(items) => items[digit(row, 0)] = None,
    }
    node.is_empty()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_was_put_in_is_there_until_it_is_taken_out() {
        let mut map = ByRow::default();
        let mut model = BTreeMap::new();
        assert_eq!(map.get(3), None);
        for step in 0..20_000_u32 {
            let row = step * 7_919 % 5_003;
            if step % 3 == 0 {
                map.remove(row);
                model.remove(&row);
            } else {
                map.insert(row, step);
                model.insert(row, step);
            }
        }
        for row in [Row::MAX, 1 << 28, 1 << 20] {
            assert_eq!(map.get(row), None);
            map.insert(row, 1);
            model.insert(row, 1);
        }
        assert!(map.values().eq(model.values()));
        assert!((0..6_000).all(|row| map.get(row) == model.get(&row)));
        assert_eq!(map.get(Row::MAX), Some(&1));
        for row in model.keys() {
            map.remove(*row);
        }
        assert!(map.root.is_none());
        map.remove(7);
    }

    #[test]
    fn a_clone_keeps_what_it_had() {
        let mut map = ByRow::default();
        (0..100).for_each(|row| map.insert(row, row));
        let before = map.clone();
        map.insert(40, 0);
        map.remove(41);
        assert_eq!((before.get(40), before.get(41)), (Some(&40), Some(&41)));
        assert_eq!((map.get(40), map.get(41)), (Some(&0), None));
    }
}
