// consul-template's functions to and from other forms: JSON, base64, hashes.
#include <algorithm>
#include <array>

#include "allocrunner/setup/json_text.h"
#include "allocrunner/setup/md5.h"
#include "allocrunner/setup/sha256.h"
#include "allocrunner/setup/template_functions.h"
#include "allocrunner/setup/yaml_text.h"
#include "placement/jobspec/value_json.h"

namespace gaggle::setup {

namespace {

Result<Datum> json(const Arguments& in, JsonStyle style) {
    return Datum{TRY(json_text(in[0], style))};
}
Result<Datum> to_json(const Arguments& in) { return json(in, {.escapes_html = true}); }
Result<Datum> to_json_pretty(const Arguments& in) {
    return json(in, {.indented = true, .escapes_html = true});
}
Result<Datum> to_unescaped_json(const Arguments& in) { return json(in, {}); }
Result<Datum> to_unescaped_json_pretty(const Arguments& in) { return json(in, {.indented = true}); }

/// An empty text is an empty map, as in consul-template.
Result<Datum> parse_json(const Arguments& in) {
    const std::string& text = *TRY(in.text(0));
    if (text.empty()) return Datum::of(DatumMap{});
    return Datum::of(TRY(value_from_json(text)));
}

Result<Datum> base64_encode(const Arguments& in) {
    return Datum{to_base64(as_bytes(*TRY(in.text(0))))};
}

/// As Go's URL encoding: with padding.
Result<Datum> base64_url_encode(const Arguments& in) {
    std::string out = to_base64url(as_bytes(*TRY(in.text(0))));
    while (out.size() % 4 != 0) out += '=';
    return Datum{std::move(out)};
}

Result<Datum> decoded(const std::optional<Bytes>& bytes) {
    if (!bytes) return Error{Errc::invalid, "the text is not base64"};
    return Datum{gaggle::to_text(*bytes)};
}
Result<Datum> base64_decode(const Arguments& in) { return decoded(from_base64(*TRY(in.text(0)))); }
Result<Datum> base64_url_decode(const Arguments& in) {
    std::string_view text = *TRY(in.text(0));
    while (text.ends_with('=')) text.remove_suffix(1);
    return decoded(from_base64url(text));
}

Result<Datum> sha256(const Arguments& in) { return Datum{sha256_hex(as_bytes(*TRY(in.text(0))))}; }

Result<Datum> md5(const Arguments& in) { return Datum{md5_hex(as_bytes(*TRY(in.text(0))))}; }
Result<Datum> to_yaml(const Arguments& in) { return Datum{TRY(yaml_text(in[0]))}; }

constexpr std::array kTable = {
    TemplateFunction{"toJSON", 1, 1, to_json},
    TemplateFunction{"toJSONPretty", 1, 1, to_json_pretty},
    TemplateFunction{"toUnescapedJSON", 1, 1, to_unescaped_json},
    TemplateFunction{"toUnescapedJSONPretty", 1, 1, to_unescaped_json_pretty},
    TemplateFunction{"parseJSON", 1, 1, parse_json},
    TemplateFunction{"base64Encode", 1, 1, base64_encode},
    TemplateFunction{"base64Decode", 1, 1, base64_decode},
    TemplateFunction{"base64URLEncode", 1, 1, base64_url_encode},
    TemplateFunction{"base64URLDecode", 1, 1, base64_url_decode},
    TemplateFunction{"sha256Hex", 1, 1, sha256},
    TemplateFunction{"md5sum", 1, 1, md5},
    TemplateFunction{"toYAML", 1, 1, to_yaml},
};

}  // namespace

std::span<const TemplateFunction> coding_functions() { return kTable; }

}  // namespace gaggle::setup
