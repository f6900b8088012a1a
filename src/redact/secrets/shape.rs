//! Tokens that their issuer marks with a prefix. Sources: the issuers' documentation of their token formats.

use super::found::Found;
use super::random::{Makeup, Pairs};
use super::text::{Text, is_alnum, is_base64, is_digit, is_dotted, is_encoded, is_hex, is_upper_or_digit, is_url_safe};
use super::wrap::{self, Break, Pieces};

/// Longest body of a marked token, bytes.
const BODY_BYTES_MAX: usize = 8 << 10;

/// Marks that are looked at in so many bytes.
const TRIES_MAX: usize = 64;
const RUN_BYTES: usize = 1 << 10;

/// What must hold of the body besides its characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// The prefix says enough.
    Prefix,
    /// The prefix is short or a word: the body must look drawn at random.
    Random,
    /// The token has exactly this many characters behind the prefix.
    Exact(usize),
}

struct Shape {
    kind: &'static str,
    prefixes: &'static str,
    of: fn(u8) -> bool,
    least: usize,
    proof: Proof,
}

const fn shape(kind: &'static str, prefixes: &'static str, of: fn(u8) -> bool, least: usize, proof: Proof) -> Shape {
    Shape { kind, prefixes, of, least, proof }
}

/// One row a kind: prefixes with spaces between.
const SHAPES: &[Shape] = &[
    shape("databricks-token", "dapi dose dkea ddbi dsapi", is_hex, 28, Proof::Prefix),
    shape("aws-key", "AKIA ASIA ABIA ACCA", is_upper_or_digit, 16, Proof::Exact(16)),
    shape("aws-session-token", "IQoJb3JpZ2lu FwoGZXIvYXdz FQoGZXIvYXdz AQoDYXdz", is_encoded, 40, Proof::Prefix),
    shape("aws-key", "ABSK bedrock-api-key-", is_encoded, 32, Proof::Random),
    shape("aws-key", "amzn.mws.", is_dotted, 32, Proof::Prefix),
    shape("gcp-key", "AIza", is_url_safe, 32, Proof::Prefix),
    shape("gcp-key", "GOCSPX- GOOG1E", is_url_safe, 20, Proof::Prefix),
    shape("gcp-token", "ya29. 1//0 4/0A AQ.Ab8", is_encoded, 30, Proof::Prefix),
    shape("github-token", "ghp_ gho_ ghu_ ghs_ ghr_ ghe_ github_pat_", is_url_safe, 20, Proof::Prefix),
    shape(
        "gitlab-token",
        "glpat- gldt- glrt- glsoat- glcbt- glptt- glft- glimt- glagent- glffct- glrtr- gloas- GR1348941",
        is_dotted,
        18,
        Proof::Prefix,
    ),
    shape("atlassian-token", "ATATT3x ATCTT3x ATSTT3x ATBB BBDC- ATOA", is_base64, 20, Proof::Random),
    shape("npm-token", "npm_", is_alnum, 30, Proof::Prefix),
    shape("pypi-token", "pypi-AgE pypi-", is_url_safe, 40, Proof::Prefix),
    shape("registry-token", "rubygems_ dckr_pat_ dckr_oat_ CLOJARS_ hex_pat_", is_url_safe, 20, Proof::Prefix),
    shape("registry-token", "oy2", is_alnum, 43, Proof::Exact(43)),
    shape("registry-token", "cio AKCp cmVmdGtuO", is_url_safe, 30, Proof::Random),
    shape("vault-token", "hvs. hvb. hvr.", is_url_safe, 20, Proof::Prefix),
    shape("vault-token", "s.", is_url_safe, 24, Proof::Random),
    shape("terraform-token", "tfp_ tfe_", is_url_safe, 30, Proof::Random),
    shape("anthropic-key", "sk-ant-", is_url_safe, 20, Proof::Prefix),
    shape("openai-key", "sk-proj- sk-svcacct- sk-admin- sk-None- sk- sess- sk_", is_url_safe, 20, Proof::Random),
    shape(
        "ai-key",
        "sk-or-v1- sk-lf- pk-lf- gsk_ xai- pplx- r8_ hf_ api_org_ fw_ tgp_v1_ lsv2_pt_ lsv2_sk_ ls__ pcsk_ pa- jina_ tvly- fc- nvapi- esecret_ \
         e2b_ co_ key_ wandb_v1_ sk-litellm- csk- rpa_ bb_live_ ak- as-",
        is_url_safe,
        20,
        Proof::Random,
    ),
    shape("slack-token", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xoxe. xoxd- xoxc- xoxt- xapp- xwfp-", is_encoded, 16, Proof::Prefix),
    shape(
        "slack-webhook",
        "hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/ hooks.slack-gov.com/services/",
        is_base64,
        20,
        Proof::Prefix,
    ),
    shape(
        "webhook",
        "discord.com/api/webhooks/ discordapp.com/api/webhooks/ webhook.office.com/webhookb2/ outlook.office.com/webhook/ \
         api.telegram.org/bot qyapi.weixin.qq.com/cgi-bin/webhook/send?key= hooks.airtable.com/workflows/v1/genericWebhook/ \
         oapi.dingtalk.com/robot/send?access_token= chat.zoho.com/company/ api.day.app/ maker.ifttt.com/trigger/ events.pagerduty.com/integration/ \
         alert.victorops.com/integrations/generic/ open.feishu.cn/open-apis/bot/v2/hook/ open.larksuite.com/open-apis/bot/v2/hook/ hook.eu1.make.com/ hook.us1.make.com/",
        |b| is_encoded(b) || b == b'@' || b == b':',
        20,
        Proof::Prefix,
    ),
    shape(
        "webhook",
        "hooks.zapier.com/hooks/catch/ hook.eu2.make.com/ hook.us2.make.com/ hook.integromat.com/ ntfy.sh/up",
        is_encoded,
        10,
        Proof::Prefix,
    ),
    shape("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_ whsec_ sk_prod_ rk_prod_", is_base64, 16, Proof::Prefix),
    shape(
        "payment-key",
        "sq0atp- sq0csp- access-sandbox- access-production- access_token$production$ access_token$sandbox$ shippo_live_ shippo_test_ APP_USR-",
        is_url_safe,
        20,
        Proof::Prefix,
    ),
    shape("payment-key", "EAAAE EAAAl FLWSECK EZAK EZTK rzp_live_ rzp_test_", is_url_safe, 14, Proof::Random),
    shape("shop-token", "shpat_ shpca_ shppa_ shpss_ shptka_ shpua_", is_hex, 28, Proof::Prefix),
    shape("slack-webhook", "/services/T", is_base64, 30, Proof::Random),
    shape("password-hash", "md5", is_hex, 32, Proof::Exact(32)),
    shape("twilio-key", "SK", is_hex, 32, Proof::Exact(32)),
    shape("sendgrid-key", "SG.", is_dotted, 30, Proof::Prefix),
    shape("mail-key", "xkeysib- xsmtpsib- mlsn.", is_url_safe, 20, Proof::Prefix),
    shape("mail-key", "md- re_ key- pubkey-", is_url_safe, 20, Proof::Random),
    shape(
        "monitoring-key",
        "NRAK- NRJS- NRII- NRRA- NRIQ- NRSP- glsa_ glc_ sntrys_ sntryu_ sntrya_ essu_ hcaik_ hcbik_ hcmik_ hcxik_ hcxlk_ ddapi_ ddapp_ xaat- xapt-",
        |b| is_base64(b) || b == b'.',
        18,
        Proof::Prefix,
    ),
    shape("monitoring-key", "dt0c01. dt0s01. dt0s02. dt0s06. dt0s16.", is_dotted, 60, Proof::Prefix),
    shape("monitoring-key", "eyJrIjoi phc_ phx_ pd+ logfire_ ApiKey-", is_base64, 20, Proof::Random),
    shape(
        "saas-key",
        "lin_api_ lin_oauth_ ntn_ figd_ figor_ figu_ pat-na1- pat-eu1- pat-na2- CFPAT- HRKU- sb_secret_ pscale_tkn_ pscale_pw_ pscale_oauth_ dp.pt. \
         dp.st. dp.ct. dp.sa. dp.scim. dp.audit. ops_eyJ AVNS_ dop_v1_ doo_v1_ dor_v1_ bkua_ bkct_ bkat_ CCIPAT_ CCIPRJ_ AGE-SECRET-KEY-1 PMAK- PMAT- \
         mdb_sa_sk_ dbtc_ dbtu_ dbts_ tskey-auth- tskey-api- tskey-client- fm2_ fm1r_ fo1_ ory_at_ ory_rt_ ory_pat_ snyk_uat. snyk_sat. pul- duffel_live_ \
         duffel_test_ prefect_ nfp_ sup_sk_ sbp_ rdme_ v2.local.",
        |b| is_dotted(b) || matches!(b, b'+' | b'/' | b'='),
        16,
        Proof::Prefix,
    ),
    shape(
        "saas-key",
        "secret_ rnd_ napi_ v1.0- LTAI AKID AQVN y0_ y1_ y2_ t1. sqp_ squ_ sqa_ fio-u- pnu_ pnb_ mb_ dbt_ sl. sl.u. p8e- sdk- cfut_ cfat_ cfk_ EAAC EAAG \
         EAAJ EAAB IGQV zpka_ tskey- tk_ ubtk_ cal_live_ cal_test_ usr- svc- wh- rw_ vcp_ vck_ vca_ vci_ sk.eyJ tk.eyJ lip_ np_ lpat_ uat- ctx7sk- \
         patro_ fastly_ ATTA astro_ AIRBYTE_ fivetran_ cflt snyk_ sgp_ slk_ lt_ oauth:",
        is_dotted,
        16,
        Proof::Random,
    ),
    shape("openshift-token", "sha256~", is_url_safe, 40, Proof::Prefix),
    shape("datastax-token", "AstraCS:", |b| is_dotted(b) || b == b':', 60, Proof::Prefix),
    shape("vault-token", "b.AAAAAQ", is_url_safe, 60, Proof::Prefix),
    shape("saas-key", "A3- ASWWYB-", |b| is_upper_or_digit(b) || b == b'-', 30, Proof::Random),
    shape("saas-key", "API-", is_upper_or_digit, 24, Proof::Random),
    shape("saas-key", "pat. sat. st.", is_dotted, 60, Proof::Random),
    shape(
        "saas-key",
        "KEY0 akab- packagist_ sktsec_ vera01ei- vera01es- apify_api_ dnkey- ico- secret-live- secret-test- sm_pat_ sm_aat_ sm_sat_",
        is_url_safe,
        14,
        Proof::Random,
    ),
    shape("saas-key", "dG9rO", is_base64, 50, Proof::Random),
    shape("saas-key", "api- mob- rel- sdk-", |b| is_hex(b) || b == b'-', 36, Proof::Exact(36)),
    shape("cloud-key", "SCW", is_upper_or_digit, 17, Proof::Exact(17)),
    shape("payment-key", "live_ test_", is_alnum, 28, Proof::Random),
    shape("wallet-key", "xprv yprv zprv tprv", is_alnum, 100, Proof::Prefix),
    shape("nats-seed", "SU SA SO SN SC", is_upper_or_digit, 56, Proof::Exact(56)),
    // Kerberos keytabs and Java keystores in base64: by the bytes that they start with.
    shape("keystore", "BQIAAA /u3+7QAAAAI zs7OzgAAAAI", is_base64, 50, Proof::Prefix),
    shape("payment-key", "live_ test_", is_hex, 32, Proof::Prefix),
    shape("airtable-token", "pat", is_dotted, 76, Proof::Random),
    shape("salesforce-session", "00D", |b| is_dotted(b) || b == b'!', 40, Proof::Random),
    shape("snowflake-token", "ver:1-hint: ver:2-hint: ver:3-hint:", |b| is_base64(b) || b == b':', 40, Proof::Prefix),
    shape(
        "password-hash",
        "$2a$ $2b$ $2y$ $1$ $5$ $6$ $y$ $7$ $apr1$ $argon2id$ $argon2i$ $argon2d$ $pbkdf2 pbkdf2_sha256$ pbkdf2:sha256: {SSHA} {SSHA256} {SSHA512} SCRAM-SHA-256$",
        |b| is_base64(b) || matches!(b, b'.' | b'$' | b',' | b':'),
        22,
        Proof::Random,
    ),
    // DER of private keys in base64, without their armour; and armour within base64.
    shape(
        "private-key",
        "MIIEvQIBADANBg MIIEvgIBADANBg MIIEvAIBADANBg MIIEuwIBADANBg MIIEwAIBADANBg MIIEwQIBADANBg MIIEwgIBADANBg MIIJQwIBADANBg MIIJQgIBADANBg \
         MIIJRAIBADANBg MIIJQQIBADANBg MIICdwIBADANBg MIICdgIBADANBg MIICeAIBADANBg MIIEpAIBAAKCAQEA MIIEowIBAAKCAQEA MIIEogIBAAKCAQEA \
         MIIEpQIBAAKCAQEA MIIJKAIBAAKCAgEA MIIJKQIBAAKCAgEA MIIJJwIBAAKCAgEA MIICXAIBAAKBgQ MIICXQIBAAKBgQ MIICWwIBAAKBgQ MHcCAQEE MIGkAgEBB MIHcAgEBB \
         MIGHAgEAMB MIG2AgEAMB MIHuAgEAMB MC4CAQAwBQYDK2Vw MFECAQEwBQYDK2Vw b3BlbnNzaC1rZXktdjE MIIFHDBOBgkqhkiG9w0BBQ0w MIIFHzBJBgkqhkiG9w0BBQ0w \
         MIIFLTBXBgkqhkiG9w0BBQ0w MIIFJDBWBgkqhkiG9w0BBQ0w LS0tLS1CRUdJTiBSU0EgUFJJVkFURS LS0tLS1CRUdJTiBQUklWQVRFIEtFWS \
         LS0tLS1CRUdJTiBFQyBQUklWQVRFIE LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZ LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFURS LS0tLS1CRUdJTiBEU0EgUFJJVkFURS \
         PuTTY-User-Key-File-",
        is_base64,
        30,
        Proof::Prefix,
    ),
];

/// Kind, mark, fewest characters of the whole token, and what it is made of.
type Within = (&'static str, &'static str, usize, fn(u8) -> bool);

/// Marks that stand within a token or at its end.
const WITHIN: &[Within] = &[
    ("terraform-token", ".atlasv1.", 60, is_dotted),
    ("azure-client-secret", "Q~", 34, |b| is_dotted(b) || b == b'~'),
    ("azure-key", "JQQJ99", 70, is_alnum),
    ("azure-devops-token", "AZDO", 76, is_alnum),
    ("azure-key", "+ASt", 70, is_base64),
    ("azure-key", "AzFu", 48, is_base64),
    ("azure-key", "ACDb", 70, is_base64),
    ("azure-key", "+AEh", 40, is_base64),
    ("azure-key", "+ARm", 40, is_base64),
    ("azure-key", "+ASb", 40, is_base64),
    ("azure-key", "AIoT", 40, is_base64),
    ("azure-key", "AzSe", 48, is_base64),
    ("azure-key", "+ACR", 48, is_base64),
    ("azure-key", "AzCa", 40, is_base64),
    ("monitoring-key", "NRAL", 36, is_alnum),
    ("telegram-token", ":AA", 40, |b| is_url_safe(b) || b == b':'),
    ("discord-token", ".G", 56, is_dotted),
];

/// Every prefix and mark, with the row that [`Finder::at`] wants back.
pub fn prefixes() -> impl Iterator<Item = (&'static str, usize)> {
    let prefixes = SHAPES.iter().enumerate().flat_map(|(row, shape)| shape.prefixes.split_whitespace().map(move |prefix| (prefix, row)));
    prefixes.chain(WITHIN.iter().enumerate().map(|(row, (_, mark, _, _))| (*mark, SHAPES.len() + row)))
}

/// Looks at one mark after the other.
#[derive(Default)]
pub struct Finder {
    done: usize,
    run_end: usize,
    tries: usize,
}

impl Finder {
    /// The token of row `row` whose mark stands at `start..end`.
    pub fn at(&mut self, text: Text<'_>, row: usize, start: usize, end: usize, pairs: &Pairs) -> Option<Found> {
        if start < self.done {
            return None;
        }
        // A run of characters in which nothing was found so often is made to cost time.
        if start >= self.run_end {
            self.run_end = start + RUN_BYTES;
            self.tries = 0;
        }
        self.tries += 1;
        if self.tries > TRIES_MAX {
            return None;
        }
        let found = match SHAPES.get(row) {
            Some(shape) => marked(text, shape, start, end, pairs),
            None => WITHIN.get(row - SHAPES.len()).and_then(|(kind, _, least, of)| within(text, kind, *least, *of, start, end, pairs)),
        }?;
        self.done = found.end;
        Some(found)
    }
}

fn marked(text: Text<'_>, shape: &Shape, start: usize, body: usize, pairs: &Pairs) -> Option<Found> {
    let before = text.before(start);
    if is_alnum(before) && !escaped_before(text, start) || before == b'_' && shape.proof != Proof::Prefix {
        return None;
    }
    let mut pieces = Pieces::one(start, text.skip_max(body, BODY_BYTES_MAX, shape.of));
    extend(text, shape.of, body - start + shape.least, exact(shape, body - start), pairs, &mut pieces);
    let words = pieces.words(text);
    let token = words.get(body - start..).unwrap_or("").trim_end_matches(['.', '-', '=']);
    if token.len() < shape.least {
        return None;
    }
    let is_proven = match shape.proof {
        Proof::Prefix => true,
        Proof::Random => {
            let makeup = Makeup::of(token, pairs);
            let mixed = makeup.lower.min(makeup.upper).min(makeup.digits) >= 2;
            makeup.is_random() && (makeup.digits > 0 || makeup.length >= 32) || mixed && !token.contains(['-', '.', '_'])
        }
        Proof::Exact(length) => token.len() == length,
    };
    let words = words.trim_end_matches('.');
    // The host of a hook is no secret.
    let (start, words) = if shape.kind.ends_with("webhook") { (body, words.get(body - start..).unwrap_or("")) } else { (start, words) };
    is_proven.then(|| Found { start, end: pieces.end(), kind: shape.kind, words: words.to_owned() })
}

/// Length of the whole token where its issuer always makes the same.
fn exact(shape: &Shape, prefix: usize) -> Option<usize> {
    match (shape.kind, shape.proof) {
        (_, Proof::Exact(length)) => Some(prefix + length),
        ("databricks-token", _) => Some(prefix + 32),
        ("github-token", _) if prefix == 4 => Some(40),
        ("npm-token", _) => Some(40),
        ("gcp-key", _) if prefix == 4 => Some(39),
        _ => None,
    }
}

/// `\n` or `\t` of an escaped text, or `%3D` of an encoded one, before the token: its letter is none of the token's.
fn escaped_before(text: Text<'_>, start: usize) -> bool {
    text.ends(start, "\\n")
        || text.ends(start, "\\t")
        || text.ends(start, "\\r")
        || start >= 3 && text.at(start - 3) == b'%' && is_hex(text.at(start - 2)) && is_hex(text.at(start - 1))
        || start >= 6 && text.starts(start - 6, "\\u00")
}

/// Adds the pieces behind line breaks: while the token is too short to be one, or shorter than its issuer makes it.
pub fn extend(text: Text<'_>, of: fn(u8) -> bool, least: usize, exact: Option<usize>, pairs: &Pairs, pieces: &mut Pieces) {
    const PIECES_MAX: usize = 64;
    let mut length: usize = pieces.0.iter().map(|(start, end)| end - start).sum();
    while pieces.0.len() < PIECES_MAX
        && let Some((next, how)) = wrap::next_piece(text, pieces.end())
    {
        let end = text.skip_max(next, BODY_BYTES_MAX, of);
        let (last_start, last_end) = pieces.0.last().copied().unwrap_or_default();
        let more = end - next;
        let after = text.at(end);
        // A token goes on where somebody says so, where its length demands it, or where a full line of it is followed by more of it alone.
        let fits = match (how, exact) {
            (_, Some(exact)) => length < exact && length + more <= exact + 2,
            // A string that is followed by a colon is the next member's name.
            (Break::Said, None) => !matches!(text.at(text.skip_spaces(end + 1)), b':' | b'='),
            (Break::Silent, None) => {
                let alone = matches!(after, b'\n' | b'\r' | 0 | b'"' | b'\'' | b'|' | b',' | b')' | b'}' | b';' | b'<') || after >= 0x80;
                let columns = last_end - text.line_start(last_start, 4096);
                let words = text.slice(next, end);
                let piece = Makeup::of(words, pairs);
                let is_other = words.trim_end_matches('=').contains(['=', ':']) || words.matches('/').count() > 2 && words.contains('.');
                let is_more = piece.is_random()
                    || piece.length >= 16 && piece.is_odd() && piece.lower.min(piece.upper) >= 4 && words.bytes().all(is_alnum)
                    || length >= 100 && piece.length < 8 && piece.digits > 0;
                alone && is_more && !is_other && (length < least || columns >= 40 && last_end - last_start >= 16)
            }
        };
        if more == 0 || !fits {
            return;
        }
        pieces.0.push((next, end));
        length += more;
    }
}

fn within(
    text: Text<'_>,
    kind: &'static str,
    least: usize,
    of: fn(u8) -> bool,
    mark: usize,
    mark_end: usize,
    pairs: &Pairs,
) -> Option<Found> {
    const TOKEN_BYTES_MAX: usize = 200;
    if kind == "azure-client-secret" && !text.before(mark).is_ascii_digit() {
        return None;
    }
    let mut start = text.skip_back_max(mark, TOKEN_BYTES_MAX, of);
    if kind == "azure-client-secret" {
        // Three characters and a digit stand before the mark.
        start = start.max(mark.saturating_sub(4));
    }
    if kind == "telegram-token" {
        start = text.skip_back_max(mark, TOKEN_BYTES_MAX, is_digit);
        if mark - start < 8 {
            return None;
        }
    }
    if kind == "monitoring-key" && text.slice(start, mark).bytes().all(|b| b.is_ascii_hexdigit()) && mark - start == least {
        let words = text.slice(start, mark_end).to_owned();
        return Some(Found { start, end: mark_end, kind, words });
    }
    let mut pieces = Pieces::one(start, text.skip_max(mark_end, TOKEN_BYTES_MAX, of));
    extend(text, of, least, None, pairs, &mut pieces);
    let words = pieces.words(text);
    let makeup = Makeup::of(&words, pairs);
    (words.len() >= least && words.len() < TOKEN_BYTES_MAX && makeup.is_random()).then(|| Found { start, end: pieces.end(), kind, words })
}
