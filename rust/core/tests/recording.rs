//! A recording hears what its own thread does, and nothing else.
#![allow(missing_docs)]

mod common;

use std::sync::Barrier;
use std::thread;

use common::{add, tensor};
use weft_core::op::random::Dist;
use weft_core::record::{self, Binding, Recording};
use weft_core::site::Site;
use weft_core::{Tensor, listen, mode, random};
use weft_kernels::{DType, Scalar, Shape};

fn recorded(args: &[Tensor], body: impl FnOnce() -> Tensor) -> Recording {
    record::start(args, || Site::intern("here.py:1")).unwrap();
    let result = body();
    record::finish(&[result], &[]).unwrap()
}

/// The only test of this process that needs the generator.
#[test]
fn a_generator_made_while_recording_is_an_input() {
    let draw = || {
        random::draw(
            Dist::Uniform(Scalar::Float(0.0), Scalar::Float(1.0)),
            Shape::new(&[3]),
            DType::F32,
        )
    };
    let recording = recorded(&[], || draw().unwrap());
    assert!(matches!(recording.bindings[..], [Binding::Captured(_)]));
    assert!(!recording.graph.to_string().contains("const"), "{}", recording.graph);
}

#[test]
fn threads_record_at_once_without_mixing() {
    let barrier = Barrier::new(2);
    let work = |additions: usize| {
        let x = tensor(&[1.0, 2.0], &[2]);
        recorded(std::slice::from_ref(&x), || {
            let mut y = x.clone();
            for _ in 0..additions {
                barrier.wait();
                y = add(&y, &x);
                barrier.wait();
            }
            for _ in additions..5 {
                barrier.wait();
                barrier.wait();
            }
            y
        })
    };
    let counts = thread::scope(|scope| {
        let threads = [3, 5].map(|n| scope.spawn(move || work(n).graph.calls()));
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(counts, [3, 5]);
}

#[test]
fn values_are_refused_while_recording_and_not_beside_it() {
    record::start(&[], || Site::intern("here.py:1")).unwrap();
    let refused = listen::value_read(".item()").unwrap_err().to_string();
    let before = mode::set_paused(true);
    let beside = listen::value_read(".item()");
    mode::set_paused(before);
    record::abort();
    assert!(refused.contains(".item()") && refused.contains("here.py:1"), "{refused}");
    assert!(beside.is_ok() && listen::value_read(".item()").is_ok());
}
