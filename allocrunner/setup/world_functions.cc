// What a template asks of the world around it: environment, files, services. And, in words, what
// there is not here.
#include <algorithm>
#include <array>

#include "allocrunner/setup/template_functions.h"
#include "base/hash.h"

namespace gaggle::setup {

namespace {

Result<Datum> env(const Arguments& in) {
    const auto found = in.world.env.find(*TRY(in.text(0)));
    return Datum{found == in.world.env.end() ? std::string() : found->second};
}

Result<Datum> must_env(const Arguments& in) {
    const auto found = in.world.env.find(*TRY(in.text(0)));
    if (found != in.world.env.end()) return Datum{found->second};
    return Error{Errc::invalid, "the task has no environment variable " + *in[0].text()};
}

Result<Datum> env_or_default(const Arguments& in) {
    TRY(in.text(1));
    const auto found = in.world.env.find(*TRY(in.text(0)));
    const bool empty = found == in.world.env.end() || found->second.empty();
    return empty ? in[1] : Datum{found->second};
}

Result<Datum> file(const Arguments& in) {
    const std::string& path = *TRY(in.text(0));
    in.needs.files.insert(path);
    if (!in.world.read_file) return Error{Errc::invalid, "no files can be read here"};
    return Datum{TRY(in.world.read_file(path))};
}

Datum datum_of(const ServiceInstance& one) {
    DatumMap out{.fields = {}, .type = "service instance"};
    out.fields = {{"ID", {one.id}},
                  {"Name", {one.name}},
                  {"Node", {one.node}},
                  {"Address", {one.address}},
                  {"Port", {one.port}},
                  {"Datacenter", {one.datacenter}},
                  {"Namespace", {one.name_space}},
                  {"JobID", {one.job}},
                  {"AllocID", {one.alloc}},
                  {"Tags", Datum::of_texts(one.tags)}};
    return Datum::of(std::move(out));
}

/// "web", or with the query of Nomad's templates, "web.default.global" is not known here.
std::vector<const ServiceInstance*> instances_of(const Arguments& in, const std::string& name) {
    in.needs.services.insert(name);
    std::vector<const ServiceInstance*> out;
    const auto found = in.world.catalogue.find(name);
    if (found == in.world.catalogue.end()) return out;
    for (const ServiceInstance& one : found->second)
        if (one.name_space == in.world.name_space) out.push_back(&one);
    return out;
}

/// Rendezvous hashing (Thaler and Ravishankar, 1998): each key has its own order of the instances,
/// and an instance that goes changes nothing for the keys that did not use it.
void keep_nearest(std::vector<const ServiceInstance*>& all, std::size_t count,
                  const std::string& key) {
    const auto place = [&](const ServiceInstance* one) {
        return hash_of(as_bytes(one->address + "|" + std::to_string(one->port) + "|" + key));
    };
    std::sort(all.begin(), all.end(), [&](const ServiceInstance* a, const ServiceInstance* b) {
        return std::pair(place(a), a->id) < std::pair(place(b), b->id);
    });
    if (all.size() > count) all.resize(count);
}

/// `nomadService "web"`, or `nomadService 2 "key" "web"` for two of them chosen by the key.
Result<Datum> nomad_service(const Arguments& in) {
    if (in.size() == 2) return Error{Errc::invalid, "wants a name, or a count, a key and a name"};
    std::vector<const ServiceInstance*> all = instances_of(in, *TRY(in.text(in.size() - 1)));
    if (in.size() == 3) {
        const std::int64_t count = TRY(in.whole(0));
        if (count < 1) return Error{Errc::invalid, "argument 1, the count, must be at least 1"};
        keep_nearest(all, static_cast<std::size_t>(count), *TRY(in.text(1)));
    }
    DatumList out;
    for (const ServiceInstance* one : all) out.push_back(datum_of(*one));
    return Datum::of(std::move(out));
}

Result<Datum> nomad_services(const Arguments& in) {
    in.needs.service_list = true;
    DatumList out;
    for (const auto& [name, instances] : in.world.catalogue) {
        std::set<std::string> tags;
        bool any = false;
        for (const ServiceInstance& one : instances) {
            if (one.name_space != in.world.name_space) continue;
            any = true;
            tags.insert(one.tags.begin(), one.tags.end());
        }
        if (!any) continue;
        DatumMap service{.fields = {}, .type = "service"};
        service.fields = {{"Name", {name}}, {"Tags", Datum::of_texts({tags.begin(), tags.end()})}};
        out.push_back(Datum::of(std::move(service)));
    }
    return Datum::of(std::move(out));
}

/// Instances grouped by tag; one with two tags is in two groups.
Result<Datum> by_tag(const Arguments& in) {
    std::map<std::string, DatumList> groups;
    for (const Datum& item : *TRY(in.list(0))) {
        const DatumMap* map = item.map();
        const auto tags = map == nullptr ? decltype(map->fields.end())() : map->fields.find("Tags");
        const bool tagged = map != nullptr && tags != map->fields.end() && tags->second.list();
        if (!tagged) return Error{Errc::invalid, "wants what nomadService or nomadServices gives"};
        for (const Datum& tag : *tags->second.list()) groups[TRY(to_text(tag))].push_back(item);
    }
    DatumMap out;
    for (auto& [tag, items] : groups) out.fields.emplace(tag, Datum::of(std::move(items)));
    return Datum::of(std::move(out));
}

Result<Datum> no_variables(const Arguments&) {
    return Error{Errc::unavailable,
                 "this version of Gaggle keeps no variables; use env, file or meta"};
}
Result<Datum> no_consul(const Arguments&) {
    return Error{Errc::unavailable,
                 "there is no Consul here; for services write nomadService or nomadServices"};
}
Result<Datum> no_vault(const Arguments&) {
    return Error{Errc::unavailable,
                 "there is no Vault here; use file with what the task's own "
                 "secrets directory holds"};
}

Result<Datum> no_format(const Arguments&) {
    return Error{Errc::unavailable,
                 "is not built here; JSON has parseJSON and toJSON, and what "
                 "reads YAML reads JSON too"};
}
Result<Datum> forbidden(const Arguments&) {
    return Error{Errc::denied,
                 "is forbidden to templates, as it is in Nomad; let the task itself do it"};
}

constexpr int kAny = TemplateFunction::kAny;
constexpr std::array kTable = {
    TemplateFunction{"env", 1, 1, env},
    TemplateFunction{"mustEnv", 1, 1, must_env},
    TemplateFunction{"envOrDefault", 2, 2, env_or_default},
    TemplateFunction{"file", 1, 1, file},
    TemplateFunction{"nomadService", 1, 3, nomad_service},
    TemplateFunction{"nomadServices", 0, 0, nomad_services},
    TemplateFunction{"byTag", 1, 1, by_tag},
    TemplateFunction{"nomadVar", 0, kAny, no_variables},
    TemplateFunction{"nomadVarExists", 0, kAny, no_variables},
    TemplateFunction{"nomadVarList", 0, kAny, no_variables},
    TemplateFunction{"nomadVarListSafe", 0, kAny, no_variables},
    TemplateFunction{"key", 0, kAny, no_consul},
    TemplateFunction{"keyExists", 0, kAny, no_consul},
    TemplateFunction{"keyOrDefault", 0, kAny, no_consul},
    TemplateFunction{"ls", 0, kAny, no_consul},
    TemplateFunction{"safeLs", 0, kAny, no_consul},
    TemplateFunction{"tree", 0, kAny, no_consul},
    TemplateFunction{"safeTree", 0, kAny, no_consul},
    TemplateFunction{"byKey", 0, kAny, no_consul},
    TemplateFunction{"byMeta", 0, kAny, no_consul},
    TemplateFunction{"explode", 0, kAny, no_consul},
    TemplateFunction{"caLeaf", 0, kAny, no_consul},
    TemplateFunction{"caRoots", 0, kAny, no_consul},
    TemplateFunction{"service", 0, kAny, no_consul},
    TemplateFunction{"services", 0, kAny, no_consul},
    TemplateFunction{"connect", 0, kAny, no_consul},
    TemplateFunction{"node", 0, kAny, no_consul},
    TemplateFunction{"nodes", 0, kAny, no_consul},
    TemplateFunction{"datacenters", 0, kAny, no_consul},
    TemplateFunction{"secret", 0, kAny, no_vault},
    TemplateFunction{"secrets", 0, kAny, no_vault},
    TemplateFunction{"pkiCert", 0, kAny, no_vault},
    TemplateFunction{"parseYAML", 0, kAny, no_format},
    TemplateFunction{"toTOML", 0, kAny, no_format},
    TemplateFunction{"plugin", 0, kAny, forbidden},
    TemplateFunction{"writeToFile", 0, kAny, forbidden},
};

}  // namespace

std::span<const TemplateFunction> world_functions() { return kTable; }

}  // namespace gaggle::setup
