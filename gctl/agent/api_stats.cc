// What tasks and machines use, whichever peer knows it.
#include "gctl/agent/api_local.h"
#include "gctl/agent/api_parameters.h"
#include "gctl/agent/api_routes.h"
#include "gctl/agent/render_figures.h"

namespace gaggle {

void show_alloc_stats(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    with_alloc(exchange, [](Exchange& later, const NamedAlloc& alloc) {
        const std::string task = later.parameter("task");
        if (!task.empty() && !alloc.may_have_task(task))
            return later.refuse(404, "unknown task name \"" + task + "\"");
        ask_local<node::AllocFigures>(later, {.alloc = alloc.id, .what = node::MeasureAlloc{task}},
                                      [](Exchange& last, node::AllocFigures& figures) {
                                          last.respond({}, render_alloc_figures(figures));
                                      });
    });
}

void show_host_stats(Exchange& exchange) {
    if (!region_is_ours(exchange)) return;
    with_node_id(exchange, [](Exchange& later, const PeerId& peer) {
        ask_local<node::HostFigures>(later, {.peer = peer, .what = node::MeasureHost{}},
                                     [](Exchange& last, node::HostFigures& figures) {
                                         last.respond({}, render_host_figures(figures));
                                     });
    });
}

}  // namespace gaggle
