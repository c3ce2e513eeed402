// A small world for templates under test: an environment, a file, some services.
#pragma once

#include <map>
#include <string>

#include "allocrunner/setup/text_template.h"

namespace gaggle::setup {

inline ServiceInstance instance(const std::string& name, int number,
                                std::vector<std::string> tags = {}) {
    return {.id = "i" + std::to_string(number),
            .name = name,
            .node = "peer-" + std::to_string(number),
            .address = "10.0.0." + std::to_string(number),
            .port = 8000 + number,
            .datacenter = "dc1",
            .name_space = "default",
            .job = "shop",
            .alloc = "alloc-" + std::to_string(number),
            .tags = std::move(tags)};
}

struct TestWorld {
    std::map<std::string, std::string> env{
        {"NAME", "web"}, {"EMPTY", ""}, {"NOMAD_PORT_http", "8080"}, {"LIST", "a,b,c"}};
    std::map<std::string, std::string> files{
        {"local/greeting", "hello\n"}, {"local/data.json", R"({"ports":[80,443],"up":true})"}};
    Catalogue catalogue{
        {"web", {instance("web", 1, {"blue", "v2"}), instance("web", 2, {"green"})}},
        {"db", {instance("db", 3, {"primary"})}}};
    bool error_on_missing_key = false;

    TemplateWorld world() const {
        TemplateWorld out{.env = env, .catalogue = catalogue};
        out.now = {1'700'000'000'123'456'789};  // 2023-11-14 22:13:20 UTC, a Tuesday
        out.error_on_missing_key = error_on_missing_key;
        out.read_file = [this](const std::string& path) -> Result<std::string> {
            const auto found = files.find(path);
            if (found == files.end()) return {Errc::not_found, "read " + path + ": no such file"};
            return found->second;
        };
        return out;
    }

    Result<Rendered> render(std::string_view text, const Delimiters& delimiters = {}) const {
        const TextTemplate parsed = TRY(TextTemplate::parse(text, delimiters));
        return parsed.render(world());
    }

    /// The text, or "! " and the error.
    std::string shown(std::string_view text) const {
        const auto out = render(text);
        return out.ok() ? out->text : "! " + out.error().detail;
    }
};

}  // namespace gaggle::setup
