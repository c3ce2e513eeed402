#include "placement/jobspec/hcl_reader.h"

#include <algorithm>
#include <set>

namespace gaggle {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string quoted(const std::string& name) { return "`" + name + "`"; }

std::string not_yet(const std::string& name) {
    return quoted(name) + " is Nomad's, but this version of Gaggle does not run it yet";
}

}  // namespace

HclReader::HclReader(const hcl::Body& body, std::string what, std::string path, HclContext& context)
    : body_(body), what_(std::move(what)), path_(std::move(path)), context_(context) {
    std::set<std::string> seen;
    for (const hcl::Attribute& attribute : body.attributes) {
        context_.positions.emplace(path_ + "." + attribute.name, attribute.at);
        if (!seen.insert(attribute.name).second)
            context_.diagnostics.error(attribute.at, "attribute " + quoted(attribute.name) +
                                                         " is given twice in " + what_);
    }
}

const hcl::Attribute* HclReader::find(const std::string& name) const {
    for (const hcl::Attribute& attribute : body_.attributes)
        if (attribute.name == name) return &attribute;
    return nullptr;
}

std::optional<HclReader::Given> HclReader::attribute_value(const char* name) {
    known_.emplace_back(name);
    for (const hcl::Block& block : body_.blocks)
        if (block.type == name)
            context_.diagnostics.error(block.at, quoted(name) + " is an attribute, not a block",
                                       "write `" + block.type + " = ...`");
    const hcl::Attribute* found = find(name);
    if (found == nullptr) return std::nullopt;
    auto value = context_.evaluator.value_of(*found->value);
    if (!value) return std::nullopt;
    warn_of_bare_word(*found->value);
    return Given{*std::move(value), found->value->at};
}

void HclReader::warn_of_nanoseconds(const Given& given, const char* name) {
    constexpr std::int64_t kMillisecond = 1'000'000;
    const auto* number = std::get_if<std::int64_t>(&given.value.data);
    if (number == nullptr || *number <= 0 || *number >= kMillisecond) return;
    const std::string shown = std::to_string(*number);
    context_.diagnostics.warning(given.at,
                                 quoted(name) + " in " + what_ + " is " + shown + " nanoseconds",
                                 "write \"" + shown + "s\" where seconds are meant");
}

void HclReader::warn_of_bare_word(const hcl::Expression& value) {
    const auto* word = std::get_if<hcl::Traversal>(&value.form);
    if (word == nullptr || !word->steps.empty() || word->root.starts_with("NOMAD_")) return;
    context_.diagnostics.warning(
        value.at,
        quoted(word->root) + " without quotes is kept as a reference, ${" + word->root + "}",
        "write \"" + word->root + "\" where the word itself is meant");
}

std::vector<const hcl::Block*> HclReader::all(const char* name) {
    known_.emplace_back(name);
    if (const hcl::Attribute* attribute = find(name))
        context_.diagnostics.error(attribute->at, quoted(name) + " is a block, not an attribute",
                                   "write `" + attribute->name + " { ... }` without `=`");
    std::vector<const hcl::Block*> found;
    for (const hcl::Block& block : body_.blocks)
        if (block.type == name) found.push_back(&block);
    return found;
}

const hcl::Block* HclReader::single(const char* name) {
    const auto found = all(name);
    if (found.empty()) return nullptr;
    for (std::size_t i = 1; i < found.size(); ++i)
        context_.diagnostics.error(found[i]->at,
                                   "block " + quoted(name) + " is given twice in " + what_,
                                   "the first is on line " + std::to_string(found[0]->at.line));
    refuse_labels(*found[0]);
    return found[0];
}

void HclReader::refuse_labels(const hcl::Block& block) {
    if (!block.labels.empty())
        context_.diagnostics.error(block.labels[0].at, "block " + quoted(block.type) +
                                                           " has no label, found \"" +
                                                           block.labels[0].text + "\"");
}

std::string HclReader::only_label(const hcl::Block& block) {
    if (block.labels.size() == 1) return block.labels[0].text;
    if (block.labels.empty())
        context_.diagnostics.error(block.at, "block " + quoted(block.type) + " needs a label",
                                   "write `" + block.type + " \"name\" { ... }`");
    else
        context_.diagnostics.error(block.labels[1].at, "block " + quoted(block.type) +
                                                           " has one label, found another: \"" +
                                                           block.labels[1].text + "\"");
    return block.labels.empty() ? "" : block.labels[0].text;
}

void HclReader::complain(Position at, const char* name, const std::string& problem) {
    if (!problem.empty())
        context_.diagnostics.error(at, quoted(name) + " in " + what_ + ": " + problem);
}

template <class T>
void HclReader::named(const char* name, std::map<std::string, T>& field) {
    const hcl::Attribute* attribute = find(name);
    known_.emplace_back(name);
    bool given = attribute != nullptr;
    if (attribute != nullptr) {
        const auto value = context_.evaluator.value_of(*attribute->value);
        if (value) complain(attribute->value->at, name, assign(*value, field));
    }
    for (const hcl::Block& block : body_.blocks) {
        if (block.type != name) continue;
        if (given)
            context_.diagnostics.error(block.at, quoted(name) + " is given twice in " + what_,
                                       "as a block or as an attribute, but once");
        else
            field = named_in<T>(block);
        given = true;
    }
}

template <class T>
std::map<std::string, T> HclReader::named_in(const hcl::Block& block) {
    std::map<std::string, T> pairs;
    refuse_labels(block);
    for (const hcl::Block& inner : block.body.blocks)
        context_.diagnostics.error(
            inner.at, "block " + quoted(inner.type) + " has no place in " + block.type);
    HclReader reader(block.body, block.type, path_ + "." + block.type, context_);  // doubles
    for (const hcl::Attribute& attribute : block.body.attributes) {
        const auto value = context_.evaluator.value_of(*attribute.value);
        std::optional<T> item;
        if (value)
            reader.complain(attribute.value->at, attribute.name.c_str(), assign(*value, item));
        if (item) pairs.emplace(attribute.name, *item);
    }
    return pairs;
}

template void HclReader::named(const char*, std::map<std::string, std::string>&);
template void HclReader::named(const char*, std::map<std::string, std::vector<std::string>>&);

void HclReader::free(const char* name, const char*, Value::Map& field) {
    if (const hcl::Block* found = single(name)) {
        context_.positions.emplace(path_ + "." + name, found->at);
        field = free_form(found->body, context_);
    }
}

void HclReader::later(const char* name, const char*, const Value&) {
    refused_.emplace_back(name);
    if (const hcl::Attribute* attribute = find(name))
        context_.diagnostics.error(attribute->at, not_yet(name));
    for (const hcl::Block& block : body_.blocks)
        if (block.type == name) context_.diagnostics.error(block.at, not_yet(name));
}

void HclReader::ignored(const char* name, const char*, const Value&) {
    known_.emplace_back(name);
    if (const hcl::Attribute* attribute = find(name))
        context_.diagnostics.warning(attribute->at,
                                     quoted(name) + " in " + what_ + " has no effect",
                                     "Nomad ignores it too; remove it");
}

void HclReader::finish() {
    std::vector<std::string> allowed;
    for (const std::string& name : known_)
        if (!name.empty()) allowed.push_back(name);
    const auto unknown = [&](Position at, const char* kind, const std::string& name) {
        if (contains(known_, name) || contains(refused_, name)) return;
        if (name == "dynamic" && std::string_view(kind) == "block")
            context_.diagnostics.error(at, "`dynamic` blocks are not supported yet",
                                       "write the blocks out");
        else
            context_.diagnostics.error(
                at, std::string("unknown ") + kind + " " + quoted(name) + " in " + what_,
                did_you_mean(name, allowed));
    };
    for (const hcl::Attribute& attribute : body_.attributes)
        unknown(attribute.at, "attribute", attribute.name);
    for (const hcl::Block& block : body_.blocks) unknown(block.at, "block", block.type);
}

Value::Map free_form(const hcl::Body& body, HclContext& context) {
    Value::Map map;
    for (const hcl::Attribute& attribute : body.attributes) {
        auto value = context.evaluator.value_of(*attribute.value);
        if (!value) continue;
        if (std::holds_alternative<Value::Map>(value->data))
            value = Value{Value::List{*std::move(value)}};
        if (!map.emplace(attribute.name, *std::move(value)).second)
            context.diagnostics.error(attribute.at,
                                      "attribute " + quoted(attribute.name) + " is given twice");
    }
    std::set<std::string> as_blocks;
    for (const hcl::Block& block : body.blocks) {
        if (map.contains(block.type) && !as_blocks.contains(block.type)) {
            context.diagnostics.error(
                block.at, quoted(block.type) + " is given as an attribute and as a block");
            continue;
        }
        as_blocks.insert(block.type);
        Value inner{free_form(block.body, context)};
        for (auto label = block.labels.rbegin(); label != block.labels.rend(); ++label)
            inner = Value{Value::Map{{label->text, Value{Value::List{std::move(inner)}}}}};
        Value& list = map[block.type];
        if (!std::holds_alternative<Value::List>(list.data)) list = Value{Value::List{}};
        std::get<Value::List>(list.data).push_back(std::move(inner));
    }
    return map;
}

}  // namespace gaggle
