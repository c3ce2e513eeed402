#include <doctest/doctest.h>

#include "tests/allocrunner/setup/template_world.h"

using namespace gaggle;
using namespace gaggle::setup;

namespace {

struct Row {
    const char* text;
    const char* result;
};

void check(std::initializer_list<Row> rows) {
    const TestWorld world;
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(world.shown(row.text) == row.result);
    }
}

void check_fails(const char* text, const char* mentions) {
    CAPTURE(text);
    const std::string shown = TestWorld().shown(text);
    CAPTURE(shown);
    CHECK(shown.starts_with("! line "));
    CHECK(shown.find(mentions) != std::string::npos);
}

}  // namespace

TEST_CASE("comparing, counting and picking") {
    check(
        {{"{{ eq 1 1 }} {{ eq 1 2 3 1 }} {{ ne \"a\" \"b\" }} {{ eq 1 1.0 }}",
          "true true true true"},
         {"{{ lt 1 2 }} {{ le 2 2 }} {{ gt \"b\" \"a\" }} {{ ge 1.5 2 }}", "true true true false"},
         {"{{ eq nil nil }} {{ eq true true }}", "true true"},
         {"{{ len \"héllo\" }} {{ len (split \",\" \"a,b\") }}", "6 2"},
         {"{{ index (split \",\" \"a,b,c\") 2 }} {{ index (parseJSON `{\"k\":[5,6]}`) \"k\" 1 }}",
          "c 6"},
         {"{{ index \"abc\" 1 }} {{ slice \"abcdef\" 1 3 }} {{ slice (split \",\" \"a,b,c\") 1 }}",
          "98 bc [b c]"}});
    check_fails("{{ index (split \",\" \"a\") 1 }}", "function index: 1 is out of range");
    check_fails("{{ slice \"abc\" 2 1 }}", "ends before it begins");
    check_fails("{{ lt true false }}", "cannot compare");
}

TEST_CASE("printing as Go does") {
    check({{"{{ print 1 2 \"a\" \"b\" 3 }}", "1 2ab3"},
           {"{{ println \"a\" 1 }}", "a 1\n"},
           {"{{ printf \"%d|%5d|%-5d|%05d|%x|%X|%o|%b|%+d\" 42 42 42 42 255 255 8 5 7 }}",
            "42|   42|42   |00042|ff|FF|10|101|+7"},
           {"{{ printf \"%s|%10s|%-10s|%.2s|%q|%v|%x\" \"go\" \"go\" \"go\" \"golang\" \"a\\\"b\" "
            "\"v\" \"hi\" }}",
            "go|        go|go        |go|\"a\\\"b\"|v|6869"},
           {"{{ printf \"%f|%.2f|%8.3f|%e|%g|%v\" 1.5 3.14159 2.5 1500.0 1e21 0.1 }}",
            "1.500000|3.14|   2.500|1.500000e+03|1e+21|0.1"},
           {"{{ printf \"%t|%v|%c|%q|%%|%T\" true false 65 66 1 }}", "true|false|A|'B'|%|int"},
           {"{{ printf \"%d\" \"x\" }}", "%!d(string=x)"},
           {"{{ printf \"%s %s\" \"x\" }}", "x %!s(MISSING)"},
           {"{{ printf \"x\" 1 \"y\" }}", "x%!(EXTRA int=1, string=y)"},
           {"{{ printf \"%v\" (split \",\" \"a,b\") }} {{ printf \"%v\" nil }}", "[a b] <nil>"},
           {"{{ html \"<a href='x'>&\" }}", "&lt;a href=&#39;x&#39;&gt;&amp;"},
           {"{{ urlquery \"a b/c?\" }}", "a+b%2Fc%3F"}});
}

TEST_CASE("text") {
    check({{"{{ toUpper \"aé\" }} {{ toLower \"ABC\" }} {{ toTitle \"the end of-it\" }}",
            "Aé abc The End Of-It"},
           {"[{{ trimSpace \" a \\n\" }}] [{{ \"--a-b--\" | trim \"-\" }}]", "[a] [a-b]"},
           {"{{ \"--a\" | trimLeft \"-\" }} {{ \"a--\" | trimRight \"-\" }}", "a a"},
           {"{{ \"v1.2\" | trimPrefix \"v\" }} {{ \"a.conf\" | trimSuffix \".conf\" }}", "1.2 a"},
           {"{{ env \"LIST\" | split \",\" | join \" \" }}", "a b c"},
           {"{{ len (split \",\" \" \") }} {{ split \"\" \"aé\" | join \"-\" }}", "0 a-é"},
           {"{{ \"a.b.c\" | replaceAll \".\" \"-\" }}", "a-b-c"},
           {"{{ \"a\\n\\nb\" | indent 2 }}", "  a\n\n  b"},
           {"{{ in (split \",\" \"a,b\") \"b\" }} {{ \"haystack\" | contains \"hay\" }}",
            "true true"},
           {"{{ if split \",\" \"a,b\" | contains \"c\" }}y{{ else }}n{{ end }}", "n"},
           {"{{ containsAll (split \",\" \"a,b\") (split \",\" \"a,b,c\") }}", "true"},
           {"{{ containsAny (split \",\" \"x,b\") (split \",\" \"a,b,c\") }}", "true"},
           {"{{ containsNone (split \",\" \"x,y\") (split \",\" \"a,b,c\") }}", "true"},
           {"{{ containsNotAll (split \",\" \"a,y\") (split \",\" \"a,b,c\") }}", "true"},
           {"{{ with \"a=1;b=x=y;c\" | splitToMap \";\" \"=\" }}{{ .a }} {{ .b }} [{{ .c }}]{{ end "
            "}}",
            "1 x=y []"},
           {"{{ len (splitToMap \",\" \":\" \" \") }}", "0"}});
    check_fails("{{ splitToMap \"\" \"=\" \"a\" }}", "not to be empty");
    check_fails("{{ replaceAll \"\" \"b\" \"c\" }}", "is empty");
}

TEST_CASE("Sprig, in its own order of arguments") {
    check(
        {{"{{ \"\" | sprig_default \"x\" }} {{ \"y\" | sprig_default \"x\" }}", "x y"},
         {"{{ \"web-1\" | sprig_hasPrefix \"web\" }} {{ \"web-1\" | sprig_hasSuffix \"web\" }}",
          "true false"},
         {"{{ sprig_empty \"\" }} {{ sprig_empty 1 }} {{ sprig_coalesce \"\" 0 \"z\" \"y\" }}",
          "true false z"},
         {"{{ eq 1 1 | sprig_ternary \"yes\" \"no\" }} {{ sprig_ternary 1 2 false }}", "yes 2"},
         {"{{ sha256Hex \"abc\" | sprig_trunc 4 }} {{ sprig_trunc -2 \"abcd\" }} {{ sprig_trunc 9 "
          "\"abcd\" }}",
          "ba78 cd abcd"},
         {"{{ sprig_substr 1 3 \"abcdef\" }} {{ sprig_substr 3 -1 \"abcdef\" }} [{{ sprig_substr 9 "
          "2 \"abc\" }}]",
          "bc def []"},
         {"{{ sprig_repeat 3 \"ab\" }}[{{ sprig_repeat 0 \"ab\" }}]", "ababab[]"},
         {"{{ sprig_quote \"a\\\"b\" 1 }} {{ sprig_squote \"a\" \"b\" }}",
          "\"a\\\"b\" \"1\" 'a' 'b'"},
         {"{{ sprig_indent 2 \"a\\n\\nb\" }}|{{ \"c\" | sprig_nindent 1 }}", "  a\n  \n  b|\n c"},
         {"{{ sprig_splitList \",\" \" a,,b\" | sprig_join \"-\" }}", " a--b"},
         {"{{ sprig_toString 12 | printf \"%q\" }} {{ sprig_int \"42\" }} {{ sprig_atoi \"x\" }} "
          "{{ "
          "sprig_int 2.9 }}",
          "\"12\" 42 0 2"},
         {"{{ with split \",\" \"b,a,b\" }}{{ sprig_first . }} {{ sprig_last . }} {{ sprig_uniq . "
          "}} "
          "{{ sprig_sortAlpha . }}{{ end }}",
          "b b [b a] [a b b]"},
         {"{{ with parseJSON `{\"k\":1}` }}{{ sprig_get . \"k\" }}[{{ sprig_get . \"x\" }}] {{ "
          "sprig_hasKey . \"x\" }} {{ sprig_keys . }}{{ end }}",
          "1[] false [k]"},
         {"{{ sprig_upper \"a\" }}{{ sprig_trim \" b \" }}{{ sprig_replace \"c\" \"d\" \"cc\" }}{{ "
          "sprig_b64enc \"hi\" }}",
          "AbddaGk="}});
    check_fails("{{ sprig_ternary 1 2 3 }}", "argument 3 must be true or false");
    check_fails("{{ sprig_repeat 10000000 \"abc\" }}", "grows beyond");
    check_fails("{{ sprig_upper }}", "function sprig_upper: wants 1 arguments and has 0");
    check_fails("{{ sprig_get \"a\" \"b\" }}", "must be a map, not a string");
    check_fails("{{ sprig_genCA \"a\" 1 }}", "sprig_genCA");
}

TEST_CASE("a template's text is a value, by executeTemplate") {
    check({{"{{ define \"t\" }}<{{ . }}>{{ end }}{{ executeTemplate \"t\" 7 | sprig_repeat 2 }}",
            "<7><7>"},
           {"{{ define \"t\" }}x{{ end }}a{{ $v := executeTemplate \"t\" }}b{{ $v }}", "abx"},
           {"{{ define \"t\" }}{{ . }}{{ end }}{{ \"p\" | executeTemplate \"t\" }}", "p"}});
    check_fails("{{ executeTemplate \"none\" }}", "template \"none\" is not defined");
    check_fails("{{ executeTemplate 1 }}", "wants a template's name");
    check_fails("{{ define \"t\" }}{{ executeTemplate \"t\" }}{{ end }}{{ executeTemplate \"t\" }}",
                "too deeply");
}

TEST_CASE("numbers and time") {
    check({{"{{ add 1 2 }} {{ multiply 3 4 }} {{ add 1.5 1 }} {{ divide 2 5 }} {{ divide 2 5.0 }}",
            "3 12 2.5 2 2.5"},
           {"{{ minimum 3 2 }} {{ maximum 3 2 }} {{ maximum 1 2.5 }}", "2 3 2.5"},
           {"{{ parseInt \"-42\" }} {{ parseInt \"\" }} {{ parseUint \"7\" }} {{ parseFloat "
            "\"1.25\" }}",
            "-42 0 7 1.25"},
           {"{{ parseBool \"true\" }} {{ parseBool \"0\" }} {{ parseBool \"\" }}",
            "true false false"},
           {"{{ timestamp }}", "2023-11-14T22:13:20Z"},
           {"{{ timestamp \"unix\" }}", "1700000000"},
           {"{{ timestamp \"Mon, 02 Jan 2006 15:04:05 MST\" }}", "Tue, 14 Nov 2023 22:13:20 UTC"},
           {"{{ timestamp \"January 2, 06 3:04pm .000\" }}", "November 14, 23 10:13pm .123"}});
    check_fails("{{ divide 0 1 }}", "function divide: division by 0");
    check_fails("{{ modulo 0 1 }}", "division by 0");
    check_fails("{{ add 9223372036854775807 1 }}", "beyond 64 bits");
    check_fails("{{ divide -1 -9223372036854775808 }}", "beyond 64 bits");
    check_fails("{{ parseInt \"12x\" }}", "\"12x\" is no whole number");
    check_fails("{{ parseBool \"maybe\" }}", "is no truth value");
    check_fails("{{ add \"1\" 2 }}", "argument 1 must be a number, not a string");
}

TEST_CASE("JSON, base64 and hashes") {
    check({{"{{ toJSON \"a<b>\\n\" }} {{ toUnescapedJSON \"a<b>&\" }}",
            "\"a\\u003cb\\u003e\\n\" \"a<b>&\""},
           {"{{ parseJSON `{\"b\":[1,2.5,null,true],\"a\":{}}` | toJSON }}",
            "{\"a\":{},\"b\":[1,2.5,null,true]}"},
           {"{{ parseJSON `{\"b\":[1],\"a\":[]}` | toJSONPretty }}",
            "{\n  \"a\": [],\n  \"b\": [\n    1\n  ]\n}"},
           {"{{ with file \"local/data.json\" | parseJSON }}{{ range .ports }}{{ . }} {{ end }}{{ "
            ".up }}{{ end }}",
            "80 443 true"},
           {"{{ toJSON (parseJSON \"\") }}", "{}"},
           {"{{ base64Encode \"hi?\" }} {{ base64Decode \"aGk/\" }}", "aGk/ hi?"},
           {"{{ base64URLEncode \"hi\" }} {{ base64URLDecode \"aGk=\" }}", "aGk= hi"},
           {"{{ sha256Hex \"abc\" }}",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
           {"{{ md5sum \"\" }} {{ \"message digest\" | md5sum }}",  // RFC 1321
            "d41d8cd98f00b204e9800998ecf8427e f96b697d7cb7938d525a2f31aaf161d0"}});
    check_fails("{{ parseJSON `{` }}", "function parseJSON: ");
    check_fails("{{ base64Decode \"***\" }}", "not base64");
}

TEST_CASE("YAML has its blocks, and quotes what would be read as something else") {
    check({{"{{ parseJSON `{\"b\":[1,\"x\",{\"k\":true,\"l\":null},[2]],\"a\":{\"c\":1.5}}` | "
            "toYAML }}",
            "a:\n  c: 1.5\nb:\n- 1\n- x\n- k: true\n  l: null\n- - 2"},
           {"{{ parseJSON `[\"true\",\"12\",\"\",\"a: b\",\"- c\",\"No\",\"d \",\"/e "
            "f\",\"2024-01-01\","
            "\"g\\nh\"]` | toYAML }}",
            "- \"true\"\n- \"12\"\n- \"\"\n- \"a: b\"\n- \"- c\"\n- \"No\"\n- \"d \"\n- /e f\n"
            "- \"2024-01-01\"\n- \"g\\nh\""},
           {"{{ parseJSON `{\"e\":{},\"l\":[],\"1\":0}` | toYAML }}", "\"1\": 0\ne: {}\nl: []"},
           {"{{ toYAML 7 }} {{ toYAML (split \",\" \"\") }}", "7 []"}});
}

TEST_CASE("patterns are Go's, and linear in time") {
    check(
        {{"{{ regexMatch \"^w.b$\" \"web\" }} {{ regexMatch \"^b\" \"web\" }}", "true false"},
         {"{{ regexReplaceAll \"(\\\\w+)@(\\\\w+)\" \"$2 at ${1}x $$\" \"joe@home\" }}",
          "home at joex $"},
         {"{{ \"a1b22\" | regexReplaceAll \"[0-9]+\" \"#\" }}", "a#b#"},
         {"{{ regexReplaceAll \"a*\" \"-\" \"baac\" }}", "-b-c-"},
         {"{{ regexReplaceAll \"(?P<y>\\\\d+)\" \"<$y$nope>\" \"x12\" }}", "x<12>"},
         {"{{ regexMatch \"(a+)+$\" (printf \"%0200d!\" 0 | replaceAll \"0\" \"a\") }}", "false"}});
    check_fails("{{ regexMatch \"(\" \"x\" }}", "function regexMatch: pattern \"(\": missing )");
}

TEST_CASE("environment, files and services are asked of the world, which is noted") {
    TestWorld world;
    CHECK(world.shown("{{ env \"NAME\" }}[{{ env \"NONE\" }}]") == "web[]");
    CHECK(world.shown("{{ envOrDefault \"EMPTY\" \"d\" }} {{ mustEnv \"NAME\" }}") == "d web");
    check_fails("{{ mustEnv \"NONE\" }}", "no environment variable NONE");
    const auto out = world.render(
        "{{ range nomadService \"web\" }}{{ .Address }}:{{ .Port }} {{ end }}"
        "{{ range nomadService \"cache\" }}x{{ else }}none{{ end }}{{ file \"local/greeting\" }}");
    REQUIRE(out.ok());
    CHECK(out->text == "10.0.0.1:8001 10.0.0.2:8002 nonehello\n");
    CHECK(out->needs.services == std::set<std::string>{"cache", "web"});
    CHECK(out->needs.files == std::set<std::string>{"local/greeting"});
    CHECK_FALSE(out->needs.service_list);
    const auto all = world.render("{{ range nomadServices }}{{ .Name }}{{ .Tags }} {{ end }}");
    REQUIRE(all.ok());
    CHECK(all->text == "db[primary] web[blue green v2] ");
    CHECK(all->needs.service_list);
    CHECK(world.shown("{{ range $tag, $all := nomadService \"web\" | byTag }}{{ $tag }}:{{ len "
                      "$all }} {{ end }}") == "blue:1 green:1 v2:1 ");
    world.catalogue["web"][0].name_space = "other";
    CHECK(world.shown("{{ range nomadService \"web\" }}{{ .ID }}{{ end }}") == "i2");
}

TEST_CASE("a count and a key choose instances that stay when another one goes") {
    TestWorld world;
    for (int i = 4; i < 12; ++i) world.catalogue["web"].push_back(instance("web", i));
    const char* text = "{{ range nomadService 3 (env \"NAME\") \"web\" }}{{ .ID }} {{ end }}";
    const std::string chosen = world.shown(text);
    CHECK(std::count(chosen.begin(), chosen.end(), ' ') == 3);
    auto& web = world.catalogue["web"];
    web.erase(std::find_if(web.begin(), web.end(), [&](const ServiceInstance& one) {
        return (chosen + " ").find(one.id + " ") == std::string::npos;
    }));
    CHECK(world.shown(text) == chosen);
    world.env["NAME"] = "another";
    CHECK(world.shown(text) != chosen);
    check_fails("{{ nomadService 0 \"k\" \"web\" }}", "at least 1");
}

TEST_CASE("what there is not says so") {
    check_fails("{{ nomadVar \"a/b\" }}",
                "function nomadVar: this version of Gaggle keeps no variables");
    check_fails("{{ service \"web\" }}",
                "function service: there is no Consul here; for services write");
    check_fails("{{ with secret \"a\" }}{{ end }}", "function secret: there is no Vault here");
    check_fails("{{ tree \"a\" | byKey }}", "function tree: there is no Consul here");
    check_fails("{{ plugin \"rm\" }}", "function plugin: is forbidden to templates");
    check_fails("{{ toTOML 1 }}", "function toTOML: is not built here");
}
