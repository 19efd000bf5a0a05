use super::*;

#[test]
fn the_scenario_is_the_same_twice_and_some_points_hold() {
    let (one, two) = (Folder::new("one").unwrap(), Folder::new("two").unwrap());
    let clock = Instant::now();
    let scenario = Scenario::new(&one.0).unwrap();
    println!("{:?} {} ops {:?}", clock.elapsed(), scenario.ops.len(), scenario.size());
    let again = Scenario::new(&two.0).unwrap();
    let shape = |ops: &[Op]| -> Vec<Op> {
        let bare = |op: &Op| match op {
            Op::Write(file, at, bytes) => Op::Write(*file, *at, vec![0; bytes.len()].into()),
            op => op.clone(),
        };
        ops.iter().map(bare).collect()
    };
    assert_eq!(shape(&scenario.ops), shape(&again.ops));
    let clock = Instant::now();
    let found = sweep(&scenario, 1, 0..200, &|_| {});
    println!("{:?}", clock.elapsed());
    assert!(found.failed == 0, "{found:#?}");
}
