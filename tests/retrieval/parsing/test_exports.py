# SPDX-License-Identifier: Apache-2.0
"""Exports of ServiceNow and Confluence: what is in force, by its id, with what it is about."""

import json
from datetime import UTC, datetime
from html import escape

import pytest

from retrieval.parsing.errors import BrokenDocumentError, EmptyDocumentError, NotInForceError

KB = {
    "sys_id": "a" * 32,
    "number": "KB0010001",
    "short_description": "VPN drops",
    "text": "<h2>Cause</h2><p>The <b>token</b> is old.</p><ol><li>Renew it</li></ol>",
    "workflow_state": "published",
    "kb_category": {"display_value": "Network", "link": "https://x/1"},
    "sys_updated_on": "2024-05-06 07:08:09",
}
NAME = "VPN drops (KB0010001)"  # what people ask for by its number is found by it
KB_TEXT = "## Cause\n\nThe token is old.\n\n1. Renew it"


def unload(*records: dict[str, object], prolog: str = '<?xml version="1.0" encoding="UTF-8"?>'):
    def field(name, value):
        if isinstance(value, dict):
            return f'<{name} display_value="{value["display_value"]}">x</{name}>'
        return f"<{name}>{escape(str(value))}</{name}>"

    rows = "".join(
        f'<kb_knowledge action="INSERT_OR_UPDATE">'
        f"{''.join(field(name, value) for name, value in record.items())}</kb_knowledge>"
        for record in records
    )
    return f'{prolog}<unload unload_date="2024-05-06 00:00:00">{rows}<other>x</other></unload>'


@pytest.mark.parametrize("make", [lambda *rows: json.dumps({"result": rows}), unload])
def test_servicenow_articles(read, make):
    rows = [
        KB,
        {**KB, "sys_id": "draft", "workflow_state": "draft"},
        {**KB, "sys_id": "gone", "workflow_state": "retired"},
        {**KB, "sys_id": "off", "active": "false"},
        {**KB, "sys_id": "blank", "text": "<p> </p>"},
        {**KB, "sys_id": "second", "short_description": "", "workflow_state": ""},
    ]
    parsed = read(make(*rows), "wrong.md")
    first, second = parsed.documents
    assert (first.external_id, first.title, first.text) == ("a" * 32, NAME, KB_TEXT)
    assert first.updated_at == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert first.metadata == {
        "number": "KB0010001",
        "category": "Network",
        "workflow_state": "published",
        "updated": "2024-05-06 07:08:09",
    }
    assert (second.external_id, second.title) == ("second", "KB0010001")
    assert [(item.member, item.reason, item.message) for item in parsed.refusals[1:]] == [
        ("KB0010001", "not_in_force", "in the state draft, and only published ones are taken"),
        ("KB0010001", "not_in_force", "in the state retired, and only published ones are taken"),
        ("KB0010001", "not_in_force", "not active"),
    ]
    assert (parsed.refusals[0].member, parsed.refusals[0].reason) == ("blank", "empty")


def test_many_drafts_are_counted_and_the_first_are_named(read):
    drafts = [{**KB, "number": f"KB{number}", "workflow_state": "Draft"} for number in range(9)]
    (left_out,) = read(json.dumps({"result": [KB, *drafts]})).refusals
    assert (left_out.member, left_out.n_members) == ("KB0, KB1, KB2 and 6 more", 9)
    with pytest.raises(NotInForceError, match="KB0, KB1, KB2 and 6 more: in the state draft"):
        read(json.dumps({"result": drafts}))


STORAGE = (
    "<h1>Reset</h1><p>Use the&nbsp;tool, see "
    '<ac:link><ri:page ri:content-title="VPN home" /></ac:link> or <ac:link>'
    '<ri:page ri:content-title="X" /><ac:plain-text-link-body><![CDATA[the guide]]>'
    "</ac:plain-text-link-body></ac:link>.</p>"
    '<ac:structured-macro ac:name="info" ac:schema-version="1"><ac:parameter ac:name="title">T'
    "</ac:parameter><ac:rich-text-body><p>Careful.</p></ac:rich-text-body></ac:structured-macro>"
    '<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">bash</ac:parameter>'
    '<ac:parameter ac:name="empty" />'
    "<ac:plain-text-body><![CDATA[if [ 1 < 2 ] && x; then\n  reset <host>\nfi]]>"
    "</ac:plain-text-body></ac:structured-macro>"
    "<ac:task-list><ac:task><ac:task-id>7</ac:task-id><ac:task-status>incomplete</ac:task-status>"
    "<ac:task-body>Call back</ac:task-body></ac:task></ac:task-list>"
    '<p><ac:image><ri:attachment ri:filename="a.png" /></ac:image>End</p>'
)
STORAGE_TEXT = (
    "# Reset\n\nUse the tool, see VPN home or the guide.\n\nCareful.\n\n"
    "```bash\nif [ 1 < 2 ] && x; then\n  reset <host>\nfi\n```\n\n- Call back\n\nEnd"
)


def page_object(page_id: int, title: str, *, status: str = "current", original: int = 0) -> str:
    link = f'<property name="originalVersion" class="Page"><id name="id">{original}</id></property>'
    return (
        f'<object class="Page" package="x.pages"><id name="id">{page_id}</id>'
        f'<property name="title"><![CDATA[{title}]]></property>'
        f'<property name="version">3</property>{link if original else ""}'
        '<property name="creationDate">2023-01-01 00:00:00.000</property>'
        '<property name="lastModificationDate">2024-05-06 07:08:09.123</property>'
        f'<property name="contentStatus"><![CDATA[{status}]]></property>'
        '<property name="space" class="Space"><id name="id">1</id></property></object>'
    )


def body_object(page_id: int, body: str) -> str:
    return (
        f'<object class="BodyContent"><id name="id">{page_id}9</id>'
        f'<property name="body"><![CDATA[{body.replace("]]>", "]] >")}]]></property>'
        f'<property name="content" class="Page"><id name="id">{page_id}</id></property></object>'
    )


ENTITIES = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<hibernate-generic datetime="2024-05-06 07:08:09">'
    '<object class="Space"><id name="id">1</id><property name="key"><![CDATA[IT]]></property>'
    "</object>"
    + body_object(20, STORAGE)
    + page_object(20, "Reset VPN")
    + page_object(3, "Empty")
    + "".join(
        page_object(number, "old", **facts) + body_object(number, "<p>SECRET</p>")
        for number, facts in (
            (4, {"status": "draft"}), (5, {"status": "deleted"}), (6, {"original": 20}),
        )
    )
    + '<object class="Comment"><id name="id">8</id></object>\x01&#x1F;</hibernate-generic>'
)  # fmt: skip


def test_a_confluence_space_alone_and_packed(read, pack):
    packed = pack({"entities.xml": ENTITIES, "exportDescriptor.properties": "spaceKey=IT",
                   "attachments/1/2/3": b"\x00\x01"})  # fmt: skip
    for content in (ENTITIES, packed, pack({"space.zip": packed})):
        parsed = read(content, "wrong.txt")
        (document,) = parsed.documents
        assert document.external_id.rpartition("#")[2] == "20"
        assert (document.title, document.text) == ("Reset VPN", STORAGE_TEXT)
        assert document.metadata == {
            "updated": "2024-05-06 07:08:09.123", "version": "3", "space": "IT",
        }  # fmt: skip
        assert document.updated_at == datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=UTC)
        assert [item.reason for item in parsed.refusals] == ["empty", *["not_in_force"] * 2]
        assert [item.message.split(",")[0] for item in parsed.refusals[1:]] == [
            "in the state draft", "in the state deleted",
        ]  # fmt: skip


def test_confluence_pages_over_rest(read):
    page = {
        "id": "42", "type": "page", "status": "current", "title": "Reset VPN",
        "body": {"storage": {"value": STORAGE, "representation": "storage"}},
        "version": {"when": "2024-05-06T07:08:09.000Z"}, "space": {"key": "IT"},
    }  # fmt: skip
    answer = {"results": [page, {**page, "id": "43", "status": "draft"}, {"id": "44"}, "x"]}
    parsed = read(json.dumps(answer))
    (document,) = parsed.documents
    told = [(each.member, each.message.split(",")[0].split(":")[0]) for each in parsed.refusals]
    assert told == [
        ("Reset VPN", "in the state draft"), ("44", "without body.storage.value"),
    ]  # fmt: skip
    assert (document.external_id, document.text) == ("42", STORAGE_TEXT)
    assert document.updated_at == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert read(json.dumps(page)).documents == (document,)


BOMB = "<!DOCTYPE unload [<!ENTITY a 'lol'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)
) + "]>"  # fmt: skip
EXTERNAL = "<!DOCTYPE unload [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"


@pytest.mark.parametrize(
    "content",
    [
        unload({**KB, "text": "x"}, prolog=f'<?xml version="1.0"?>{BOMB}').replace(">x<", ">&j;<"),
        unload({**KB, "text": "x"}, prolog=EXTERNAL).replace(">x<", ">&a;<"),
        unload(KB)[:-20],
        unload(KB).replace("<number>", "<number"),
        ENTITIES.replace("UTF-8", "UTF-99"),
        ENTITIES.replace("<hibernate", f"{EXTERNAL.replace('unload', 'x')}<hibernate"),
        '{"result": [{"short_description": "x"',
        '{"result": "x"}',
        '{"results": 4, "body": {"storage": 1}}',
        '{"result": ' + "[" * 200_000,
    ],
)  # fmt: skip
def test_damaged_and_hostile_exports_are_broken(read, content):
    with pytest.raises(BrokenDocumentError) as caught:
        read(content, "export.json" if content.startswith("{") else "export.xml")
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        '{"result": []}',
        '{"result": [{"sys_id": 1}, 2, null, {"sys_id": {}, "text": []}]}',
        '{"results": [{"id": null, "body": {"storage": {"value": "x"}}}]}',
        unload(),
        unload({**KB, "workflow_state": "draft"}),
        '<?xml version="1.0"?><hibernate-generic/>',
    ],
)
def test_exports_with_nothing_in_force_are_empty(read, content):
    with pytest.raises((EmptyDocumentError, BrokenDocumentError, NotInForceError)) as caught:
        read(content)
    drafts = "draft" in content
    assert caught.value.reason in ({"not_in_force"} if drafts else {"empty", "broken"})
