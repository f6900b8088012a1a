//! Does a token look drawn at random, or made of words? How often its letters follow each other in names, how often kinds of
//! characters take turns, and how many kinds there are. No list of words.

/// How much more often a letter follows another in names of software than by chance: row by the first, column by the second letter, 5 for
/// as often, one more for each doubling. Counted over the names in public package indexes.
#[rustfmt::skip]
const FOLLOWS: [&[u8; 26]; 26] = [
    b"25652351514657260767543343", // a
    b"74437222731732741663611240", // b
    b"62436217516632730656511130", // c
    b"75448442734443630553523240", // d
    b"54655342312657352766243532", // e
    b"62336522712732730645601250", // f
    b"63438355611545641753512131", // g
    b"73338221712342733546512050", // h
    b"55655550213657651566241304", // i
    b"72337212623242643383623121", // j
    b"74348344723544640564523041", // k
    b"73457331703631740255522050", // l
    b"75447231711553662253521130", // m
    b"62667462624324530267441231", // n
    b"44552352434667550756545321", // o
    b"72447225613632650756502160", // p
    b"42433211401732342545923210", // q
    b"73557341614454740456441150", // r
    b"53647326614443663267533140", // s
    b"73537325722432740665413251", // t
    b"55565341602667250677210312", // u
    b"72428232702342630344411130", // v
    b"72447325703535730564202120", // w
    b"63646333632553570448422350", // x
    b"65555443433656571466434214", // y
    b"73338224623443631333512265", // z
];
const AS_OFTEN: i32 = 5;

/// The weights of letter pairs.
pub struct Pairs([[i8; 26]; 26]);

impl Pairs {
    pub fn new() -> Self {
        Self(FOLLOWS.map(|row| row.map(|digit| i8::try_from(i32::from(digit - b'0') - AS_OFTEN).unwrap_or(0))))
    }

    fn weight(&self, a: u8, b: u8) -> i32 {
        let row = self.0.get(usize::from(a.to_ascii_lowercase().wrapping_sub(b'a')));
        row.and_then(|row| row.get(usize::from(b.to_ascii_lowercase().wrapping_sub(b'a')))).copied().unwrap_or(0).into()
    }
}

/// What a token is made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Makeup {
    pub length: usize,
    pub lower: usize,
    pub upper: usize,
    pub digits: usize,
    pub other: usize,
    /// Neighbours of different kinds; a capital before small letters starts a word and does not count.
    changes: usize,
    /// Digits between letters.
    inner: usize,
    /// Single small letters between capitals or digits, which names do not have.
    singles: usize,
    pairs: i32,
    /// Sum of the pairs' weights: below zero where chance made them.
    weight: i32,
    hex: bool,
    distinct: u32,
}

impl Makeup {
    pub fn of(token: &str, pairs: &Pairs) -> Self {
        let mut makeup = Self { hex: true, length: token.len(), ..Self::default() };
        let mut counts = [0_usize; 4];
        let mut seen = 0_u128;
        let mut previous = 0;
        let mut before = Kind::Other;
        let mut letter_before_digits = false;
        let mut before_small = Kind::Other;
        for &b in token.as_bytes() {
            let kind = KINDS[usize::from(b)];
            counts[kind as usize] += 1;
            makeup.hex &= b.is_ascii_hexdigit();
            seen |= 1_u128 << (b & 0x7f);
            match (before, kind) {
                _ if previous == 0 => {}
                (Kind::Lower | Kind::Upper, Kind::Lower | Kind::Upper) => {
                    // A capital before small letters starts a word.
                    makeup.changes += usize::from(before == Kind::Lower && kind == Kind::Upper);
                    makeup.pairs += 1;
                    makeup.weight += pairs.weight(previous, b);
                }
                (Kind::Digit, Kind::Lower | Kind::Upper) => {
                    makeup.changes += 1;
                    makeup.inner += usize::from(letter_before_digits);
                }
                (Kind::Lower | Kind::Upper, Kind::Digit) => makeup.changes += 1,
                _ => makeup.changes += usize::from(before != kind),
            }
            if before == Kind::Lower && kind != Kind::Lower {
                let is_single = matches!(before_small, Kind::Upper | Kind::Digit) && matches!(kind, Kind::Upper | Kind::Digit);
                makeup.singles += usize::from(is_single);
            }
            // What stood before a run of one small letter; longer runs count as words.
            before_small = match (before, kind) {
                (Kind::Lower, Kind::Lower) => Kind::Other,
                (_, Kind::Lower) if previous != 0 => before,
                _ => before_small,
            };
            letter_before_digits =
                kind == Kind::Digit && (letter_before_digits || previous != 0 && matches!(before, Kind::Lower | Kind::Upper));
            before = kind;
            previous = b;
        }
        [makeup.lower, makeup.upper, makeup.digits, makeup.other] = counts;
        makeup.distinct = seen.count_ones();
        makeup
    }

    pub fn is_hex(&self) -> bool {
        self.hex && self.length > 0
    }

    pub fn letters(&self) -> usize {
        self.lower + self.upper
    }

    /// Its letters follow each other less often than those of names do.
    pub fn is_odd(&self) -> bool {
        self.pairs > 0 && 100 * self.weight / self.pairs < 40
    }

    /// Kinds of characters: small, capital, digit, other.
    pub fn kinds(&self) -> usize {
        [self.lower, self.upper, self.digits, self.other].into_iter().filter(|count| *count > 0).count()
    }

    /// Drawn at random, as far as so few characters can tell.
    pub fn is_random(&self) -> bool {
        if self.length < 8 || usize::try_from(self.distinct).unwrap_or(0) < 6.min(self.length / 3 + 3) {
            return false;
        }
        // The letters of hexadecimal digits make common pairs; what tells is that digits and letters take turns.
        if self.is_hex() {
            return self.length >= 16 && 5 * self.digits >= self.length && self.letters() >= 2 && self.distinct >= 7;
        }
        // Names have digits at their ends; digits in between, again and again, are chance.
        if self.inner >= 3 && self.length <= 12 * self.inner || self.inner == 2 && (12..=20).contains(&self.length) {
            return true;
        }
        if self.singles >= 3 && self.length <= 12 * self.singles {
            return true;
        }
        let changes = 100 * self.changes / (self.length - 1);
        // Doublings a pair, in per cent: words have 70, chance has -130; eight pairs tell them apart nineteen times of twenty.
        let weight = if self.pairs >= 4 { 100 * self.weight / self.pairs } else { -10 };
        match self.digits {
            0 => self.pairs >= 8 && (weight < -10 || changes > 25 && weight < 35),
            _ => {
                changes >= 40 && weight < 60
                    || changes >= 18 && weight < 20
                    || changes >= 10 && weight < -20
                    || self.pairs >= 10 && weight < -50
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Lower,
    Upper,
    Digit,
    Other,
}

/// The kind of each byte.
const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Other; 256];
    let mut b = 0_u8;
    while b < 128 {
        if b.is_ascii_lowercase() {
            kinds[b as usize] = Kind::Lower;
        } else if b.is_ascii_uppercase() {
            kinds[b as usize] = Kind::Upper;
        } else if b.is_ascii_digit() {
            kinds[b as usize] = Kind::Digit;
        }
        b += 1;
    }
    kinds
};
