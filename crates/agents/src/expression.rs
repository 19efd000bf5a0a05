//! Conditions over features, as a mandate writes them: `fast > slow and rsi < 70`.
//!
//! ```text
//! condition := and { "or" and }        and := not { "and" not }        not := [ "not" ] atom
//! atom := "(" condition ")" | sum compare sum        compare := ">" | ">=" | "<" | "<="
//! sum := product { ("+" | "-") product }        product := unit { ("*" | "/") unit }
//! unit := number | name | "-" unit | "(" sum ")"
//! ```

/// What is wrong with a condition, and where (characters from 1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// A name that is no feature of the agent.
    #[error("'{name}' at character {at} is no feature of this agent; it has {known}")]
    UnknownName {
        /// The name.
        name: String,
        /// Where.
        at: usize,
        /// The names that exist.
        known: String,
    },
    /// Something else was expected.
    #[error("{expected} was expected at character {at}, found {found}")]
    Expected {
        /// What.
        expected: &'static str,
        /// Where.
        at: usize,
        /// What stands there.
        found: String,
    },
    /// More than 32 values would be on the stack.
    #[error("the condition is nested too deeply")]
    TooDeep,
}

/// One operation of a compiled condition, in postfix order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// Push a constant.
    Number(f64),
    /// Push a feature, by its place among the agent's features.
    Feature(usize),
    /// Change the sign.
    Negate,
    /// Sum of two.
    Add,
    /// Difference.
    Subtract,
    /// Product.
    Multiply,
    /// Quotient.
    Divide,
    /// 1 if greater, else 0.
    Greater,
    /// 1 if greater or equal, else 0.
    GreaterEqual,
    /// 1 if both are not 0.
    And,
    /// 1 if one is not 0.
    Or,
    /// 1 if it is 0.
    Not,
}

const DEPTH: usize = 32;

/// A compiled condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    ops: Vec<Op>,
}

impl Condition {
    /// Reads a condition over features with these names.
    ///
    /// # Errors
    /// `ExpressionError` with the place.
    pub fn parse(text: &str, names: &[String]) -> Result<Self, ExpressionError> {
        let mut p = Parser { tokens: tokens(text)?, at: 0, end: text.chars().count() + 1, names, ops: vec![] };
        p.condition(0)?;
        if let Some((at, found)) = p.peek() {
            return Err(ExpressionError::Expected { expected: "'and', 'or' or the end", at, found });
        }
        let (mut depth, mut deepest) = (0_usize, 0);
        for op in &p.ops {
            match op {
                Op::Number(_) | Op::Feature(_) => depth += 1,
                Op::Negate | Op::Not => {}
                _ => depth = depth.saturating_sub(1),
            }
            deepest = deepest.max(depth);
        }
        if deepest > DEPTH { Err(ExpressionError::TooDeep) } else { Ok(Condition { ops: p.ops }) }
    }

    /// The operations, in postfix order.
    #[must_use]
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// True or false for one instrument; `feature` gives its features. Comparisons with NaN are false.
    #[inline]
    pub fn holds<E>(&self, mut feature: impl FnMut(usize) -> Result<f64, E>) -> Result<bool, E> {
        let mut stack = [0.0_f64; DEPTH];
        let mut top = 0_usize;
        let truth = |b: bool| f64::from(u8::from(b));
        for op in &self.ops {
            match *op {
                Op::Number(x) => {
                    stack[top] = x;
                    top += 1;
                }
                Op::Feature(at) => {
                    stack[top] = feature(at)?;
                    top += 1;
                }
                Op::Negate => stack[top - 1] = -stack[top - 1],
                Op::Not => stack[top - 1] = truth(stack[top - 1] == 0.0),
                binary => {
                    top -= 1;
                    let (a, b) = (stack[top - 1], stack[top]);
                    stack[top - 1] = match binary {
                        Op::Add => a + b,
                        Op::Subtract => a - b,
                        Op::Multiply => a * b,
                        Op::Divide => a / b,
                        Op::Greater => truth(a > b),
                        Op::GreaterEqual => truth(a >= b),
                        Op::And => truth(a != 0.0 && b != 0.0),
                        _ => truth(a != 0.0 || b != 0.0),
                    };
                }
            }
        }
        Ok(stack[0] != 0.0)
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Sign(&'static str),
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ExpressionError> {
    let mut out = Vec::new();
    let chars: Vec<char> = text.chars().collect();
    let mut i = 0;
    while i < chars.len() {
        let at = i + 1;
        let c = chars[i];
        let run = |from: usize, good: fn(char) -> bool| chars[from..].iter().take_while(|c| good(**c)).count();
        if c.is_whitespace() {
            i += 1;
        } else if c.is_ascii_digit() || c == '.' {
            let n = run(i, |c| c.is_ascii_digit() || c == '.');
            let word: String = chars[i..i + n].iter().collect();
            let value =
                word.parse().map_err(|_| ExpressionError::Expected { expected: "a number", at, found: word })?;
            out.push((at, Token::Number(value)));
            i += n;
        } else if c.is_ascii_alphabetic() || c == '_' {
            let n = run(i, |c| c.is_ascii_alphanumeric() || c == '_');
            out.push((at, Token::Name(chars[i..i + n].iter().collect())));
            i += n;
        } else {
            let two: String = chars[i..chars.len().min(i + 2)].iter().collect();
            let sign = [">=", "<=", ">", "<", "(", ")", "+", "-", "*", "/"].into_iter().find(|s| two.starts_with(s));
            let sign = sign.ok_or(ExpressionError::Expected {
                expected: "a name, a number or one of > >= < <= + - * / ( )",
                at,
                found: format!("'{c}'"),
            })?;
            out.push((at, Token::Sign(sign)));
            i += sign.len();
        }
    }
    Ok(out)
}

struct Parser<'a> {
    tokens: Vec<(usize, Token)>,
    at: usize,
    end: usize,
    names: &'a [String],
    ops: Vec<Op>,
}

/// Nesting that the parser follows before it gives up, so that no text can exhaust the stack.
const NESTING: usize = 64;

impl Parser<'_> {
    fn peek(&self) -> Option<(usize, String)> {
        self.tokens.get(self.at).map(|(at, t)| {
            let found = match t {
                Token::Number(x) => format!("{x}"),
                Token::Name(n) => format!("'{n}'"),
                Token::Sign(s) => format!("'{s}'"),
            };
            (*at, found)
        })
    }

    fn expected<T>(&self, expected: &'static str) -> Result<T, ExpressionError> {
        let (at, found) = self.peek().unwrap_or((self.end, "the end".into()));
        Err(ExpressionError::Expected { expected, at, found })
    }

    fn sign(&mut self, any: &[&'static str]) -> Option<&'static str> {
        match self.tokens.get(self.at) {
            Some((_, Token::Sign(s))) if any.contains(s) => {
                self.at += 1;
                Some(s)
            }
            _ => None,
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some((_, Token::Name(n))) if n == word);
        self.at += usize::from(found);
        found
    }

    fn condition(&mut self, depth: usize) -> Result<(), ExpressionError> {
        self.all(depth)?;
        while self.word("or") {
            self.all(depth)?;
            self.ops.push(Op::Or);
        }
        Ok(())
    }

    fn all(&mut self, depth: usize) -> Result<(), ExpressionError> {
        self.not(depth)?;
        while self.word("and") {
            self.not(depth)?;
            self.ops.push(Op::And);
        }
        Ok(())
    }

    fn not(&mut self, depth: usize) -> Result<(), ExpressionError> {
        if depth > NESTING {
            return Err(ExpressionError::TooDeep);
        }
        if self.word("not") {
            self.not(depth + 1)?;
            self.ops.push(Op::Not);
            return Ok(());
        }
        // A bracket may hold a condition or a sum; a condition is tried first and undone if it is none.
        let (at, n_ops) = (self.at, self.ops.len());
        if self.sign(&["("]).is_some() {
            let inner = self.condition(depth + 1);
            if inner == Err(ExpressionError::TooDeep) {
                return inner;
            }
            if inner.is_ok() && self.sign(&[")"]).is_some() {
                return Ok(());
            }
            self.at = at;
            self.ops.truncate(n_ops);
        }
        self.sum(depth)?;
        let Some(compare) = self.sign(&[">=", "<=", ">", "<"]) else { return self.expected("a comparison") };
        let left = self.ops.len();
        self.sum(depth)?;
        match compare {
            ">" => self.ops.push(Op::Greater),
            ">=" => self.ops.push(Op::GreaterEqual),
            less => {
                // a < b is b > a: the operands change places, in postfix order too.
                let start = self.operand_start(left);
                self.ops[start..].rotate_left(left - start);
                self.ops.push(if less == "<" { Op::Greater } else { Op::GreaterEqual });
            }
        }
        Ok(())
    }

    /// First operation of the operand that ends before `end`.
    fn operand_start(&self, end: usize) -> usize {
        let mut need = 1_i64;
        let mut at = end;
        while at > 0 && need > 0 {
            at -= 1;
            need += match self.ops[at] {
                Op::Number(_) | Op::Feature(_) => -1,
                Op::Negate | Op::Not => 0,
                _ => 1,
            };
        }
        at
    }

    fn sum(&mut self, depth: usize) -> Result<(), ExpressionError> {
        self.product(depth)?;
        while let Some(sign) = self.sign(&["+", "-"]) {
            self.product(depth)?;
            self.ops.push(if sign == "+" { Op::Add } else { Op::Subtract });
        }
        Ok(())
    }

    fn product(&mut self, depth: usize) -> Result<(), ExpressionError> {
        self.unit(depth)?;
        while let Some(sign) = self.sign(&["*", "/"]) {
            self.unit(depth)?;
            self.ops.push(if sign == "*" { Op::Multiply } else { Op::Divide });
        }
        Ok(())
    }

    fn unit(&mut self, depth: usize) -> Result<(), ExpressionError> {
        if depth > NESTING {
            return Err(ExpressionError::TooDeep);
        }
        if self.sign(&["-"]).is_some() {
            self.unit(depth + 1)?;
            self.ops.push(Op::Negate);
            return Ok(());
        }
        if self.sign(&["("]).is_some() {
            self.sum(depth + 1)?;
            return if self.sign(&[")"]).is_some() { Ok(()) } else { self.expected("')'") };
        }
        match self.tokens.get(self.at).cloned() {
            Some((_, Token::Number(x))) => self.ops.push(Op::Number(x)),
            Some((at, Token::Name(name))) => match self.names.iter().position(|n| *n == name) {
                Some(place) => self.ops.push(Op::Feature(place)),
                None if ["and", "or", "not"].contains(&name.as_str()) => return self.expected("a feature or a number"),
                None => {
                    let known = if self.names.is_empty() { "none".into() } else { self.names.join(", ") };
                    return Err(ExpressionError::UnknownName { name, at, known });
                }
            },
            _ => return self.expected("a feature or a number"),
        }
        self.at += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, a: f64, b: f64) -> Result<bool, ExpressionError> {
        let names = ["a".to_owned(), "b".to_owned()];
        let c = Condition::parse(text, &names)?;
        Ok(c.holds(|at| Ok::<_, ()>([a, b][at])).unwrap())
    }

    #[test]
    fn conditions_mean_what_they_say() {
        for (text, expected) in [
            ("a > b", false),
            ("a < b", true),
            ("a + 1 >= b", true),
            ("a * 2 + 1 <= b - 1", false),
            ("(a + b) / 2 < 1.6", true),
            ("not a > b and b > 1.5", true),
            ("a > b or b > 1.5 and a > 2", false),
            ("(a > b or b > 1.5) and a > 0.5", true),
            ("-a < -(b - 3)", true),
            ("a / (b - 2) > 5", true), // 1 / 0 is infinite
        ] {
            assert_eq!(check(text, 1.0, 2.0), Ok(expected), "{text}");
        }
    }

    #[test]
    fn errors_name_the_place() {
        let message = |text: &str| check(text, 1.0, 2.0).unwrap_err().to_string();
        assert_eq!(message("a >"), "a feature or a number was expected at character 4, found the end");
        assert_eq!(message("a > c"), "'c' at character 5 is no feature of this agent; it has a, b");
        assert_eq!(message("a"), "a comparison was expected at character 2, found the end");
        assert_eq!(message("a > b b"), "'and', 'or' or the end was expected at character 7, found 'b'");
        assert_eq!(message("a > 1.2.3"), "a number was expected at character 5, found 1.2.3");
        assert_eq!(message(&"(".repeat(500)), "the condition is nested too deeply");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ab0-9.<>=()+*/ -]{0,60}|\\PC{0,40}") {
            let _ = check(&text, 1.0, 2.0);
        }
    }
}
