#include <time.h>

#include <charconv>

#include "allocrunner/setup/destination.h"
#include "allocrunner/setup/env_lines.h"
#include "allocrunner/setup/render.h"

namespace gaggle::setup {

namespace {

WallTime wall_clock() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return {now.tv_sec * 1'000'000'000LL + now.tv_nsec};
}

Result<std::string> read_inside(const Plan& plan, const std::string& path) {
    const Destination from = TRY(destination_of(plan.host, plan.inside, path));
    const BeneathDir root = TRY(BeneathDir::open(root_of(plan.host, from)));
    return root.read(from.path, kTemplateTextMax);
}

Result<FileLook> look_of(const Plan& plan, const Template& what) {
    FileLook look{.owner = TRY(owner_of(plan.user))};
    if (what.uid) look.owner.uid = *what.uid;
    if (what.gid) look.owner.gid = *what.gid;
    const char* end = what.perms.data() + what.perms.size();
    const auto read = std::from_chars(what.perms.data(), end, look.mode, 8);
    if (read.ec != std::errc() || read.ptr != end)
        return {Errc::invalid, "perms \"" + what.perms + "\" is not an octal mode such as 0644"};
    // A file of root's that makes others root: the task's directory is on the host's disk.
    if (look.mode > 0777)
        return {Errc::invalid, "perms \"" + what.perms +
                                   "\" is more than 0777; a template sets no set-user-id, "
                                   "set-group-id or sticky bit"};
    return look;
}

/// A source that is not there is mostly one that nobody has put there.
Result<std::string> source_of(const Plan& plan, const Template& what) {
    if (what.source.empty()) return what.data;
    Result<std::string> text = read_inside(plan, what.source);
    if (text.ok() || text.error().code != Errc::not_found) return text;
    return {Errc::not_found,
            text.error().detail + "; an artifact or a prestart task must bring the source"};
}

Result<TemplateResult> render(const Plan& plan, const Template& what, const Catalogue& catalogue,
                              WallTime now) {
    const Destination to = TRY(destination_of(plan.host, plan.inside, what.destination));
    const FileLook look = TRY(look_of(plan, what));
    const std::string text = TRY(source_of(plan, what));
    const auto parsed = TRY(TextTemplate::parse(text, {what.left_delimiter, what.right_delimiter}));
    TemplateWorld world{.env = plan.env, .catalogue = catalogue, .now = now};
    world.name_space = plan.name_space;
    world.error_on_missing_key = what.error_on_missing_key;
    world.read_file = [&](const std::string& path) { return read_inside(plan, path); };
    Rendered rendered = TRY(parsed.render(world));
    TemplateResult out{.needs = std::move(rendered.needs)};
    if (what.env) out.env = TRY(parse_env_lines(rendered.text));
    const BeneathDir root = TRY(BeneathDir::open(root_of(plan.host, to)));
    out.changed = TRY(root.write(to.path, rendered.text, look));
    return out;
}

}  // namespace

Result<TemplateResult> render_template(const Plan& plan, const Template& what,
                                       const Catalogue& catalogue, WallTime now) {
    Result<TemplateResult> out = render(plan, what, catalogue, now);
    if (!out.ok()) return within("template " + what.destination, out.error());
    return out;
}

RenderDone carry_out(const RenderOrder& order) {
    RenderDone out{.key = order.plan->key,
                   .token = order.token,
                   .payload = {},
                   .templates = {},
                   .services = order.services};
    if (order.payload) out.payload = write_payload(*order.plan);
    if (!out.payload.ok()) return out;
    for (const std::size_t at : order.which) {
        out.templates.emplace_back(at, render_template(*order.plan, order.plan->templates[at],
                                                       *order.services, wall_clock()));
        if (!out.templates.back().second.ok() && !order.each) break;
    }
    return out;
}

Result<void> write_payload(const Plan& plan) {
    if (!plan.payload) return {};
    const auto to = destination_of(plan.host, plan.inside, "local/" + plan.payload->file);
    if (!to.ok()) return within("dispatch_payload", to.error());
    const BeneathDir root = TRY(BeneathDir::open(root_of(plan.host, *to)));
    const auto written = root.write(to->path, as_text(plan.payload->bytes),
                                    {.mode = 0644, .owner = TRY(owner_of(plan.user))});
    if (!written.ok()) return within("dispatch_payload", written.error());
    return {};
}

}  // namespace gaggle::setup
