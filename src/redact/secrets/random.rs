//! Does a token look drawn at random, or made of words? Letter pairs that are common in names and prose, changes between kinds of
//! characters, and how many kinds there are. No list of words.

/// Letter pairs that make up most of English text and of names in code.
const COMMON_PAIRS: &str = "th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng of al de se le sa si ar ve ra ld ur \
    ta ri ro li la el ma ne me ic io ec co ce ch ca ct tr ts us ut un ul ue ui ub up pr pe pa pl po pp om op os ot ow ol ho il ir id ig im \
    if ie na no ns mo mp mi em ns nc nu ge gr ga gi sh so su ss sp sc su do di da du ad ag ac ab am ap ai av ay ex ey ly ry ty be ba bl bo br bu \
    fo fi fr fa fe lo lu ll ls lt lf wo wa we wi wh vi va vo rd rs rt rn rm rk rc rg ct ck ks ke ki qu ob od oo oc of og ok ov oi oa sk sl sn sw \
    tu tt tl tw ud uc um ug ua id ib ia iv iz ze za ys ye yp cr cu cl cc dr dd dy ef eg ee ep eq ew ev eb ek ei eu ff fu fl gl gu gh gs hu hr \
    jo ju ja my mb mm ms nk ni nf nv nn nd py ph pi pt ps pu pk sy sm db ws kt kn aw";

/// A letter pair table: bit `b` of row `a`.
pub struct Pairs([u32; 26]);

impl Pairs {
    pub fn new() -> Self {
        let mut rows = [0; 26];
        for pair in COMMON_PAIRS.split_whitespace() {
            if let [a, b] = *pair.as_bytes()
                && let Some(row) = rows.get_mut(usize::from(a.wrapping_sub(b'a')))
            {
                *row |= 1 << (b - b'a');
            }
        }
        Self(rows)
    }

    fn is_common(&self, a: u8, b: u8) -> bool {
        let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
        self.0.get(usize::from(a.wrapping_sub(b'a'))).is_some_and(|row| b.is_ascii_lowercase() && row >> (b - b'a') & 1 == 1)
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
    pairs: usize,
    common: usize,
    hex: bool,
    distinct: u32,
}

impl Makeup {
    pub fn of(token: &str, pairs: &Pairs) -> Self {
        let mut makeup = Self { hex: true, ..Self::default() };
        let mut seen = 0_u128;
        let mut previous = 0_u8;
        let mut letter_before_digits = false;
        for &b in token.as_bytes() {
            makeup.length += 1;
            match b {
                b'a'..=b'z' => makeup.lower += 1,
                b'A'..=b'Z' => makeup.upper += 1,
                b'0'..=b'9' => makeup.digits += 1,
                _ => makeup.other += 1,
            }
            makeup.hex &= b.is_ascii_hexdigit();
            seen |= 1_u128.checked_shl(u32::from(b)).unwrap_or(0);
            if b.is_ascii_digit() {
                letter_before_digits |= previous.is_ascii_alphabetic();
            } else {
                makeup.inner += usize::from(letter_before_digits && b.is_ascii_alphabetic() && previous.is_ascii_digit());
                letter_before_digits = false;
            }
            if previous != 0 {
                makeup.changes += usize::from(kind(previous) != kind(b) && !(previous.is_ascii_uppercase() && b.is_ascii_lowercase()));
                if previous.is_ascii_alphabetic() && b.is_ascii_alphabetic() {
                    makeup.pairs += 1;
                    makeup.common += usize::from(pairs.is_common(previous, b));
                }
            }
            previous = b;
        }
        makeup.distinct = seen.count_ones();
        makeup
    }

    pub fn is_hex(&self) -> bool {
        self.hex && self.length > 0
    }

    pub fn letters(&self) -> usize {
        self.lower + self.upper
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
        let changes = 100 * self.changes / (self.length - 1);
        let common = if self.pairs >= 4 { 100 * self.common / self.pairs } else { 50 };
        match (self.digits, self.pairs) {
            (0, pairs) => pairs >= 8 && (common < 62 || changes > 30 && common < 72),
            _ => changes >= 40 && common < 86 || changes >= 18 && common < 66 || changes >= 10 && common < 45,
        }
    }
}

fn kind(b: u8) -> u8 {
    match b {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    }
}
