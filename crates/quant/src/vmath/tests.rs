use super::*;

#[test]
fn quick() {
    for x in [-1.0, 0.0, 0.3, 1.0, 100.0, -700.0, -740.0, 709.0] {
        println!("exp {x} {:e} {:e}", exp(x), libm::exp(x));
    }
    for x in [0.1, 1.0, 1.0000001, 100.0, 1e-310, 1e300] {
        println!("ln {x} {:e} {:e}", ln(x), libm::log(x));
    }
    for x in [-3.0, -0.6, -0.4, 0.0, 0.1, 1.0, 5.0, 26.0] {
        println!("erfc {x} {:e} {:e}", erfc(x), libm::erfc(x));
    }
}
