#include "gctl/agent/filter.h"

#include <charconv>
#include <optional>
#include <vector>

#include "placement/scheduler/regexp.h"

namespace gaggle {

/// Either a test of one field, or the conjunction, disjunction or negation of others.
struct Filter::Node {
    enum class Kind { test, all, any, negation };
    enum class Test { equal, contains, empty, matches };
    Kind kind = Kind::test;
    std::vector<std::unique_ptr<Node>> parts;
    Test test = Test::equal;
    std::vector<std::string> path;
    std::string literal;
    std::optional<Regexp> pattern;
};

namespace {

using Node = Filter::Node;
using NodePtr = std::unique_ptr<Node>;

struct Token {
    enum class Kind { word, text, sign, end };
    Kind kind = Kind::end;
    std::string text;
    std::size_t at = 0;  ///< where it begins
};

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '+' || c == '/';
}

class Lexer {
  public:
    explicit Lexer(std::string_view text) : text_(text) {}

    Result<Token> next() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n'))
            ++at_;
        if (at_ == text_.size()) return Token{.at = at_};
        const char first = text_[at_];
        if (first == '"' || first == '`') return quoted(first);
        if (is_word(first)) return word();
        const bool two = text_.substr(at_, 2) == "==" || text_.substr(at_, 2) == "!=";
        const std::size_t start = std::exchange(at_, at_ + (two ? 2 : 1));
        return Token{Token::Kind::sign, std::string(text_.substr(start, at_ - start)), start};
    }

  private:
    Token word() {
        const std::size_t start = at_;
        while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        return {Token::Kind::word, std::string(text_.substr(start, at_ - start)), start};
    }

    Result<Token> quoted(char quote) {
        const std::size_t start = at_++;
        std::string out;
        for (; at_ < text_.size(); ++at_) {
            char c = text_[at_];
            if (c == quote) {
                ++at_;
                return Token{Token::Kind::text, std::move(out), start};
            }
            if (c == '\\' && quote == '"' && at_ + 1 < text_.size()) {
                c = text_[++at_];
                if (c == 'n') c = '\n';
                if (c == 't') c = '\t';
            }
            out += c;
        }
        return {Errc::invalid, "the text that begins at byte " + std::to_string(start) +
                                   " has no end: a " + quote + " is missing"};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

class Parser {
  public:
    explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    Result<NodePtr> whole() {
        NodePtr root = TRY(any(0));
        if (peek().kind != Token::Kind::end) return wrong("`and`, `or` or the end");
        return root;
    }

  private:
    const Token& peek(std::size_t ahead = 0) const {
        return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
    }
    bool is_word(const char* word, std::size_t ahead = 0) const {
        return peek(ahead).kind == Token::Kind::word && peek(ahead).text == word;
    }
    bool is_sign(const char* sign) const {
        return peek().kind == Token::Kind::sign && peek().text == sign;
    }
    bool take_word(const char* word) {
        const bool there = is_word(word);
        at_ += there ? 1 : 0;
        return there;
    }
    bool take_sign(const char* sign) {
        const bool there = is_sign(sign);
        at_ += there ? 1 : 0;
        return there;
    }
    Error wrong(const std::string& wanted) const {
        const Token& token = peek();
        const std::string what =
            token.kind == Token::Kind::end ? "the end" : "\"" + token.text + "\"";
        return {Errc::invalid,
                "at byte " + std::to_string(token.at) + ", " + what + ": wanted " + wanted};
    }

    Result<NodePtr> joined(Node::Kind kind, const char* word, std::size_t depth) {
        auto out = std::make_unique<Node>();
        out->kind = kind;
        do {
            NodePtr part = TRY(kind == Node::Kind::any ? joined(Node::Kind::all, "and", depth)
                                                       : single(depth));
            out->parts.push_back(std::move(part));
        } while (take_word(word));
        return out;
    }
    Result<NodePtr> any(std::size_t depth) { return joined(Node::Kind::any, "or", depth); }

    Result<NodePtr> single(std::size_t depth) {
        if (depth > Filter::kDepthMax)
            return {Errc::invalid, "nested deeper than " + std::to_string(Filter::kDepthMax)};
        if (take_word("not")) return negated(TRY(single(depth + 1)));
        if (!take_sign("(")) return test();
        NodePtr inner = TRY(any(depth + 1));
        if (!take_sign(")")) return wrong("a closing parenthesis");
        return inner;
    }

    static NodePtr negated(NodePtr inner) {
        auto out = std::make_unique<Node>();
        out->kind = Node::Kind::negation;
        out->parts.push_back(std::move(inner));
        return out;
    }

    /// `value in field`, or a field and what is asked of it.
    Result<NodePtr> test() {
        const std::size_t skip = is_word("not", 1) ? 2 : 1;
        if (is_word("in", skip)) return member_of();
        auto out = std::make_unique<Node>();
        out->path = TRY(selector());
        bool negative = false;
        if (take_word("is")) {
            negative = take_word("not");
            if (!take_word("empty")) return wrong("`empty`");
            out->test = Node::Test::empty;
        } else if (take_sign("==")) {
            out->literal = TRY(literal());
        } else if (take_sign("!=")) {
            negative = true;
            out->literal = TRY(literal());
        } else {
            negative = take_word("not");
            if (take_word("contains"))
                out->test = Node::Test::contains;
            else if (take_word("matches"))
                out->test = Node::Test::matches;
            else
                return wrong("an operator such as ==, !=, contains, matches or is empty");
            out->literal = TRY(literal());
            if (out->test == Node::Test::matches) out->pattern = TRY(Regexp::compile(out->literal));
        }
        return negative ? negated(std::move(out)) : std::move(out);
    }

    Result<NodePtr> member_of() {
        auto out = std::make_unique<Node>();
        out->literal = TRY(literal());
        const bool negative = take_word("not");
        take_word("in");
        out->path = TRY(selector());
        out->test = Node::Test::contains;
        return negative ? negated(std::move(out)) : std::move(out);
    }

    Result<std::string> literal() {
        const Token& token = peek();
        if (token.kind != Token::Kind::word && token.kind != Token::Kind::text)
            return wrong("a value");
        ++at_;
        if (token.kind == Token::Kind::word && is_sign(".") &&
            peek(1).kind == Token::Kind::word) {  // 1.5
            ++at_;
            return token.text + "." + tokens_[at_++].text;
        }
        return token.text;
    }

    Result<std::vector<std::string>> selector() {
        const Token first = peek();
        std::vector<std::string> path;
        if (first.kind == Token::Kind::text && first.text.starts_with("/")) {
            ++at_;
            for (std::size_t at = 1; at <= first.text.size();) {
                const std::size_t end = std::min(first.text.find('/', at), first.text.size());
                path.push_back(first.text.substr(at, end - at));
                at = end + 1;
            }
            return path;
        }
        if (first.kind != Token::Kind::word) return wrong("the name of a field");
        path.push_back(first.text);
        ++at_;
        while (true) {
            if (take_sign(".")) {
                if (peek().kind != Token::Kind::word) return wrong("the name of a field");
                path.push_back(tokens_[at_++].text);
            } else if (take_sign("[")) {
                if (peek().kind != Token::Kind::text) return wrong("a quoted key");
                path.push_back(tokens_[at_++].text);
                if (!take_sign("]")) return wrong("a closing bracket");
            } else {
                return path;
            }
        }
    }

    std::vector<Token> tokens_;  ///< the last one is the end
    std::size_t at_ = 0;
};

const Value* field(const Value& record, const std::vector<std::string>& path) {
    const Value* at = &record;
    for (const std::string& name : path) {
        const auto* map = std::get_if<Value::Map>(&at->data);
        if (map == nullptr) return nullptr;
        const auto found = map->find(name);
        if (found == map->end()) return nullptr;
        at = &found->second;
    }
    return at;
}

bool equal(const Value& value, const std::string& literal) {
    if (const auto* text = std::get_if<std::string>(&value.data)) return *text == literal;
    if (const auto* yes = std::get_if<bool>(&value.data))
        return literal == (*yes ? "true" : "false");
    double wanted = 0;
    const char* end = literal.data() + literal.size();
    const auto read = std::from_chars(literal.data(), end, wanted);
    if (read.ec != std::errc() || read.ptr != end) return false;
    if (const auto* whole = std::get_if<std::int64_t>(&value.data))
        return static_cast<double>(*whole) == wanted;
    const auto* real = std::get_if<double>(&value.data);
    return real != nullptr && *real == wanted;
}

bool contains(const Value& value, const std::string& literal) {
    if (const auto* text = std::get_if<std::string>(&value.data))
        return text->find(literal) != std::string::npos;
    if (const auto* map = std::get_if<Value::Map>(&value.data)) return map->contains(literal);
    const auto* list = std::get_if<Value::List>(&value.data);
    if (list == nullptr) return false;
    for (const Value& item : *list)
        if (equal(item, literal)) return true;
    return false;
}

bool empty(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value.data)) return text->empty();
    if (const auto* map = std::get_if<Value::Map>(&value.data)) return map->empty();
    if (const auto* list = std::get_if<Value::List>(&value.data)) return list->empty();
    return std::holds_alternative<std::monostate>(value.data);
}

bool holds(const Node& node, const Value& record) {
    if (node.kind == Node::Kind::negation) return !holds(*node.parts.front(), record);
    if (node.kind != Node::Kind::test) {
        const bool any = node.kind == Node::Kind::any;
        for (const NodePtr& part : node.parts)
            if (holds(*part, record) == any) return any;
        return !any;
    }
    const Value* value = field(record, node.path);
    switch (node.test) {
        case Node::Test::empty: return value == nullptr || empty(*value);
        case Node::Test::equal: return value != nullptr && equal(*value, node.literal);
        case Node::Test::contains: return value != nullptr && contains(*value, node.literal);
        case Node::Test::matches: {
            const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(&value->data);
            return text != nullptr && node.pattern->search(*text);
        }
    }
    return false;
}

}  // namespace

Result<Filter> Filter::parse(std::string_view text) {
    if (text.size() > kTextMax)
        return {Errc::invalid, "it is longer than " + std::to_string(kTextMax) + " bytes"};
    Lexer lexer(text);
    std::vector<Token> tokens;
    do tokens.push_back(TRY(lexer.next()));
    while (tokens.back().kind != Token::Kind::end);
    return Filter(std::shared_ptr<const Node>(TRY(Parser(std::move(tokens)).whole())));
}

bool Filter::keeps(const Value& record) const { return holds(*root_, record); }

Value::List kept(const Filter& filter, Value::List records) {
    std::erase_if(records, [&](const Value& record) { return !filter.keeps(record); });
    return records;
}

}  // namespace gaggle
