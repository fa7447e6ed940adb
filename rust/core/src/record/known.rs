//! Tensors that are found again by identity, whatever their number.

use super::quick::QuickMap;
use crate::tensor::Tensor;

/// Different tensors in the order in which they came, and what is known of each.
pub(super) struct Known<T> {
    list: Vec<(Tensor, T)>,
    at: QuickMap<usize, usize>,
}

impl<T> Default for Known<T> {
    fn default() -> Known<T> {
        Known { list: Vec::new(), at: QuickMap::default() }
    }
}

impl<T> Known<T> {
    /// Adds a tensor, unless it is there.
    pub fn add(&mut self, tensor: &Tensor, value: T) {
        let next = self.list.len();
        // The list keeps the tensor, so no other one gets its key.
        if *self.at.entry(tensor.key()).or_insert(next) == next {
            self.list.push((tensor.clone(), value));
        }
    }

    /// Whether it is there.
    pub fn has(&self, tensor: &Tensor) -> bool {
        self.at.contains_key(&tensor.key())
    }

    /// What is known of a tensor.
    pub fn get(&self, tensor: &Tensor) -> Option<&T> {
        self.at.get(&tensor.key()).map(|&at| &self.list[at].1)
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Tensor, T)> {
        self.list.iter()
    }

    /// All of them, in order, without a way to find them.
    pub fn into_list(self) -> Vec<(Tensor, T)> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tensor_is_known_once_as_it_was_at_first() {
        let tensors: Vec<Tensor> =
            (0..3).map(|_| Tensor::from_slice(&[1f32], weft_kernels::Shape::new(&[1]))).collect();
        let mut known = Known::default();
        for (i, tensor) in tensors[..2].iter().chain(&tensors[..2]).enumerate() {
            known.add(tensor, i);
        }
        assert_eq!(
            tensors.iter().map(|t| known.get(t)).collect::<Vec<_>>(),
            [Some(&0), Some(&1), None]
        );
        assert!(known.has(&tensors[1]) && !known.has(&tensors[2]));
        assert!(known.into_list().iter().zip(&tensors).all(|(a, b)| a.0.same(b)));
    }
}
