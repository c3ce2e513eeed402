#include "allocrunner/set_up_plan.h"

#include "allocrunner/interpolate.h"

namespace gaggle::allocrunner {

namespace {

Artifact interpolated(Artifact one, const Names& names) {
    one.source = interpolate(one.source, names);
    one.destination = interpolate(one.destination, names);
    for (auto* texts : {&one.options, &one.headers})
        for (auto& [name, text] : *texts) text = interpolate(text, names);
    return one;
}

Template interpolated(Template one, const Names& names) {
    one.source = interpolate(one.source, names);
    one.destination = interpolate(one.destination, names);
    if (one.change_script) {
        one.change_script->command = interpolate(one.change_script->command, names);
        for (std::string& word : one.change_script->args) word = interpolate(word, names);
    }
    return one;
}

}  // namespace

setup::Plan set_up_plan(const SetUpTask& work) {
    const TaskSetUp& what = work.what;
    setup::Plan plan{.key = {work.alloc, work.task},
                     .name_space = what.name_space,
                     .user = what.user,
                     .host = what.host,
                     .inside = what.inside,
                     .env = what.env};
    for (const Artifact& one : what.task.artifacts)
        plan.artifacts.push_back(interpolated(one, what.names));
    for (const Template& one : what.task.templates)
        plan.templates.push_back(interpolated(one, what.names));
    if (what.task.dispatch_payload)
        plan.payload = setup::Payload{interpolate(what.task.dispatch_payload->file, what.names),
                                      to_bytes(what.payload)};
    return plan;
}

}  // namespace gaggle::allocrunner
