# SPDX-License-Identifier: Apache-2.0
"""HTML as a reader sees it, as Markdown; no page is too deep, too wide or too broken."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.parsing.composition import Composition
from retrieval.parsing.documents import BlockKind
from retrieval.parsing.errors import EmptyDocumentError, OversizeError
from retrieval.parsing.html import read_html
from retrieval.parsing.markdown import find_blocks

PAGE = """<!DOCTYPE html>
<html><head><title>VPN &amp; Wi-Fi</title><style>.trap, #gone { display : none } p {color:red}
</style></head><body>
<h1>No <em>connection</em></h1>
<p>First line<br>- second &lt;line&gt; with <a href="https://example.com/a">a link</a>
and <a href="javascript:alert(1)">a trap</a>.</p>
<ol start="3"><li>Open <code>nmcli</code><ul><li>as root</li></ul></li><li><p>Restart</p></li></ol>
<pre><code class="language-bash">systemctl \\
    restart vpn</code></pre>
<table><tr><th>Code</th><th>Means</th></tr><tr><td>1</td><td>a|b</td></tr></table>
</body></html>"""


def test_a_page(read_one):
    document = read_one(PAGE, "page.txt")
    assert document.title == "VPN & Wi-Fi"
    assert document.text == (
        "# No connection\n\n"
        "First line\n\\- second \\<line> with [a link](https://example.com/a) and a trap.\n\n"
        "3. Open `nmcli`\n   - as root\n4. Restart\n\n"
        "```bash\nsystemctl \\\n    restart vpn\n```\n\n"
        "| Code | Means |\n|---|---|\n| 1 | a\\|b |"
    )
    assert [(b.kind, b.level) for b in document.blocks] == [
        (BlockKind.HEADING, 1), (BlockKind.PARAGRAPH, 0), (BlockKind.LIST_ITEM, 1),
        (BlockKind.LIST_ITEM, 2), (BlockKind.LIST_ITEM, 1), (BlockKind.CODE, 0),
        (BlockKind.TABLE, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- SECRET -->",
        "<p style='DISPLAY: none'>SECRET</p>",
        "<p style='display:/* */none'>SECRET</p>",
        "<p style='color:red;visibility:hidden'>SECRET</p>",
        "<p style='font-size:0px'>SECRET</p>",
        "<p style='opacity:0'>SECRET</p>",
        "<p hidden>SECRET</p>",
        "<div class='a trap b'><p>SECRET</p></div>",
        "<div id=gone><div><span>SECRET</div></div>",
        "<script>SECRET</script><style>SECRET{}</style><template>SECRET</template>",
        "<noscript>SECRET</noscript><iframe>SECRET</iframe><svg><title>SECRET</title></svg>",
        "<img alt='SECRET' src=x><input value='SECRET' type=hidden><a title='SECRET'>x</a>",
        "<p data-x='SECRET' aria-label='SECRET'>x</p>",
        "<?SECRET ?><![CDATA[SECRET]]>",
    ],
)
def test_what_is_not_seen_is_left_out(read_one, hidden):
    document = read_one(PAGE.replace("</body>", f"{hidden}<p>After</p></body>"), "a.html")
    assert "SECRET" not in document.text + document.title
    assert document.text.endswith("After")


def test_a_table_that_lays_out_a_page_is_flow(read_one):
    page = "<html><table><tr><td><h2>Left</h2><ul><li>x</ul></td><td><p>Right</p></td></tr></table>"
    assert read_one(page).text == "## Left\n\n- x\n\nRight"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<html>" + "<div>" * 10_000 + "deep" + "</div>" * 10_000 + "<p>after", "deep\n\nafter"),
        ("<html>" + "<b>" * 10_000 + "deep", "deep"),
        ("<html>" + "<ul><li>" * 3_000 + "deep", None),
        ("<html>" + "<table><tr><td>" * 3_000 + "deep", "deep"),
        ("<html></p></div></table></li>x<p", "x"),
        ("<html><p>&#0;&#xD800;&#x202E;&nbsp;a&unknown;b", None),
        ("<html><meta charset=utf-16><p>x", "x"),
    ],
)
def test_pages_of_any_shape(read_one, page, text):
    found = read_one(page, "a.html").text
    assert found == text or text is None
    assert "\u202e" not in found


def test_a_huge_table_takes_time_in_proportion(read_one):
    rows = "<tr><td>name</td><td>value</td></tr>" * 30_000
    started = time.perf_counter()
    document = read_one(f"<html><table>{rows}</table>")
    assert document.text.count("\n") == 30_000
    assert time.perf_counter() - started < 8


@pytest.mark.parametrize("page", ["<html></html>", "<html><script>x</script>", "<p hidden>x</p>"])
def test_a_page_with_nothing_to_see(read, page):
    with pytest.raises(EmptyDocumentError):
        read(page, "a.html")


def test_too_much_text(read):
    with pytest.raises(OversizeError):
        read("<html>" + "<p>word</p>" * 300, max_text_characters=1_000)


def test_a_declared_encoding_is_followed(read_one):
    page = "<html><meta charset='koi8-r'><p>Принтер</p>".encode("koi8-r")
    assert read_one(page, "a.html").text == "Принтер"


TAGS = st.sampled_from([
    "div", "p", "h1", "h2", "ul", "ol", "li", "pre", "code", "table", "tr", "td", "th", "a", "br",
    "span", "b", "style", "script", "title", "head", "body", "nav", "header", "main",
])  # fmt: skip
MARKUP = st.lists(
    st.one_of(
        TAGS.map("<{}>".format),
        TAGS.map("</{}>".format),
        st.sampled_from(
            ["<a href='https://x.y'>", "<p hidden>", "<!--", "-->", "<![CDATA[", "]]>"]
        ),
        st.text(max_size=12),
    ),
    max_size=40,
).map("".join)


@given(page=MARKUP, keeps_furniture=st.booleans())
def test_any_markup_is_read_and_its_blocks_are_those_of_its_markdown(page, keeps_furniture):
    composition = Composition(max_characters=100_000)
    read_html(page, composition, keeps_furniture=keeps_furniture)
    text, end = composition.text, 0
    for block in composition.blocks:
        assert end <= block.start_offset < block.end_offset <= len(text)
        assert not text[end : block.start_offset].strip()
        end = block.end_offset
    assert end == len(text)
    headings = {b.start_offset for b in composition.blocks if b.kind is BlockKind.HEADING}
    as_markdown = {b.start_offset for b in find_blocks(text) if b.kind is BlockKind.HEADING}
    assert headings <= as_markdown


FURNISHED = """<!DOCTYPE html><html><head><title>Reset the VPN</title></head><body>
<div role="banner">Accept cookies?</div><header><a href="/">Intranet home</a></header>
<nav><ul><li>All articles</li><li>Printers</li></ul></nav>{opening}
<h1>Reset the VPN</h1><p>Open the client, then choose Reset.</p>{inner}
{closing}<aside role="complementary">Never unplug it.</aside><div role="search">Search here</div>
<footer>Imprint</footer></body></html>"""
INNER = "<header>Checked in May</header><aside>Mind the proxy.</aside>"


@pytest.mark.parametrize("tag", ["main", "article", "div role='main'", "div role='article x'"])
def test_what_surrounds_the_content_of_a_page_is_left_out(read_one, tag):
    page = FURNISHED.format(opening=f"<{tag}>", closing=f"</{tag.split()[0]}>", inner=INNER)
    document = read_one(page, "vpn.html")
    assert document.text == (
        "# Reset the VPN\n\nOpen the client, then choose Reset.\n\nChecked in May\n\n"
        "Mind the proxy.\n\nNever unplug it."
    )
    for block in document.blocks:
        assert document.text[block.start_offset : block.end_offset].strip()
    assert document.blocks[-1].end_offset == len(document.text)


def test_a_page_without_main_keeps_what_is_no_furniture(read_one):
    page = FURNISHED.format(opening="", closing="", inner="")
    assert read_one(page, "vpn.html").text == (
        "# Reset the VPN\n\nOpen the client, then choose Reset.\n\nNever unplug it."
    )


@pytest.mark.parametrize(
    "tag", ["nav", "header", "aside role='complementary'", "div role='banner'"]
)
def test_a_page_of_furniture_alone_keeps_all(read_one, tag):
    page = f"<html><title>t</title><body><{tag}><p>All there is.</p></{tag.split()[0]}></body>"
    assert read_one(page, "page.html").text == "All there is."


ARTICLE = "<h1>Reset the VPN</h1><p>Open the client, then choose Reset.</p>"
MENU = "<nav><ul><li>All articles</li><li>Printers</li></ul></nav>"


@pytest.mark.parametrize("tag", ["section", "aside", "div role='region'", "div role='article'"])
def test_headers_and_footers_of_a_section_are_kept(read_one, tag):
    part = "<header><h2>Before you reset</h2></header><p>Save.</p><footer>Then wait.</footer>"
    page = f"{ARTICLE}<{tag}>{part}</{tag.split()[0]}>"
    document = read_one(FURNISHED.format(opening="", closing=page, inner=""), "vpn.html")
    assert "## Before you reset\n\nSave.\n\nThen wait." in document.text
    assert "Imprint" not in document.text
    assert "Intranet" not in document.text


def test_an_aside_is_kept_where_it_stands_but_for_a_menu_in_it(read_one):
    page = f"<html><body>{ARTICLE}<aside>Never unplug it.{MENU}</aside></body></html>"
    document = read_one(page, "vpn.html")
    assert document.text.endswith("choose Reset.\n\nNever unplug it.")


@pytest.mark.parametrize("inner", ["main", "article", "div role='main'"])
@pytest.mark.parametrize("outer", ["header", "nav", "div role='banner'"])
def test_content_within_furniture_shows(read_one, outer, inner):
    close_outer, close_inner = (f"</{tag.split()[0]}>" for tag in (outer, inner))
    page = (
        f"<html><body><{outer}><ul><li>Intranet home<{inner}>{ARTICLE}{close_inner}</ul>Log out"
        f"{close_outer}<p>After it.</p></body></html>"
    )
    text = read_one(page, "vpn.html").text
    assert text.startswith("# Reset the VPN\n\nOpen the client, then choose Reset.")
    assert text.endswith("After it.")
    assert "Intranet" not in text
    assert "Log out" not in text


def test_content_within_what_is_hidden_stays_hidden(read_one):
    page = "<html><header hidden><main>SECRET</main></header><p>Seen.</p></html>"
    assert read_one(page, "page.html").text == "Seen."


@pytest.mark.parametrize("tag", ["header", "nav", "div role='banner'"])
def test_a_page_that_is_marked_as_furniture_but_for_a_link_keeps_all(read_one, tag):
    page = (
        f"<html><body><a href='#c'>Skip to content</a><{tag}>{ARTICLE}"
        f"<p>Wait until the ring is green, then sign in again with your token.</p>"
        f"</{tag.split()[0]}></body></html>"
    )
    document = read_one(page, "vpn.html")
    assert document.text == (
        "Skip to content\n\n# Reset the VPN\n\nOpen the client, then choose Reset.\n\n"
        "Wait until the ring is green, then sign in again with your token."
    )
    assert document.blocks[-1].end_offset == len(document.text)


def test_a_short_main_part_stands_without_a_menu_much_longer_than_it(read_one):
    menu = "".join(f"<li>All articles on matter {number}</li>" for number in range(40))
    wait = "Wait until the ring is green, then sign in again with your token, and with no other."
    page = f"<html><nav><ul>{menu}</ul></nav><main>{ARTICLE}<p>{wait}</p></main></html>"
    text = read_one(page, "vpn.html").text
    assert text == f"# Reset the VPN\n\nOpen the client, then choose Reset.\n\n{wait}"


PROSE = "The badge reader blinks red after the update: install its driver anew. "


@pytest.mark.parametrize("tag", ["main", "article", "div role='main'"])
def test_a_word_declared_as_content_does_not_stand_for_the_page(read_one, tag):
    page = f"<html><{tag}>Loading</{tag.split()[0]}><div role=banner><p>{PROSE * 6}</p></div>"
    assert read_one(page, "badge.html").text == f"Loading\n\n{(PROSE * 6).strip()}"


def test_a_long_content_stands_even_if_it_is_less_than_a_tenth(read_one):
    menu = "".join(f"<li>All articles on matter {number}</li>" for number in range(400))
    page = f"<html><nav><ul>{menu}</ul></nav><main>{PROSE * 6}</main></html>"
    assert read_one(page, "badge.html").text == (PROSE * 6).strip()


@pytest.mark.parametrize("tag", ["header", "header class='entry-header'", "div role='banner'"])
def test_the_headings_of_a_pages_header_are_kept(read_one, tag):
    menu = "<nav><h2>All articles</h2></nav>"
    head = f"<a href='/'>Home</a>{menu}<h1>The badge reader is red</h1><h2>Windows</h2>Log in"
    page = f"<html><body><{tag}>{head}</{tag.split()[0]}><div>{PROSE * 6}</div></body></html>"
    assert read_one(page, "badge.html").text == (
        f"# The badge reader is red\n\n## Windows\n\n{(PROSE * 6).strip()}"
    )


CODED = "Stop: never run 0x80070005 on a server"


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (f"<header><h1>{CODED}</h1><p>Applies to event 4625.</p></header>",
         f"# {CODED}\n\nApplies to event 4625."),
        ("<footer><p>Imprint</p><p>See KB5034442 first.</p></footer>", "See KB5034442 first."),
        (f"<nav><ol><li>Home<li>{CODED}<li>Log in</ol></nav>", f"2. {CODED}"),
        (f"<form role='search'>Search <p>{CODED}</p></form>", CODED),
        ("<footer><pre>Imprint</pre><pre>echo 0x80070005</pre></footer>",
         "```\necho 0x80070005\n```"),
        ("<nav><table><tr><td>Code<td>Means<tr><td>0x80070005<td>denied</table></nav>",
         "| Code | Means |\n|---|---|\n| 0x80070005 | denied |"),
        ("<nav><table><tr><td>Home<td>Log in<tr><td>Teams<td>News</table></nav>", ""),
        ("<footer>Wiki version 7.19.2, setup.exe</footer>", ""),
        (f"<nav hidden>{CODED}</nav><nav><p hidden>{CODED}</p></nav>", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("tag", ["div", "main"])
def test_of_what_surrounds_a_page_each_block_with_a_code_is_kept(read_one, tag, block, text):
    page = f"<html><body><{tag}><p>{PROSE * 9}</p></{tag}>{block}<p>After it.</p></body></html>"
    parts = [(PROSE * 9).strip(), text, "After it."]
    assert read_one(page, "badge.html").text == "\n\n".join(filter(None, parts))


@pytest.mark.parametrize("tag", ["nav", "header", "footer"])
def test_what_follows_an_unclosed_menu_is_kept(read_one, tag):
    page = f"<html><body><p>{PROSE * 6}</p><{tag}><a>Home</a><p>{PROSE}</p>After it.</body></html>"
    text = read_one(page, "badge.html").text
    assert text.endswith(f"Home\n\n{PROSE.strip()}\n\nAfter it.")


def test_the_body_of_an_export_is_all_content(read_one):
    article = {
        "sys_id": "1", "number": "KB1", "short_description": "Dock",
        "text": "<header>Dock</header><p>Reseat it.</p><aside>Mind the pins.</aside>",
    }  # fmt: skip
    document = read_one(json.dumps({"result": [article]}), "kb.json")
    assert document.text == "Dock\n\nReseat it.\n\nMind the pins."
