# SPDX-License-Identifier: Apache-2.0
"""People in texts of their own script, where words beside them say that a person is named.

In a text of another script a name shows by its letters (guardrails.other_scripts). Here only a
title, a label, or what people alone do tells it from other words.
"""
# ruff: noqa: E501, RUF001 - regular expressions, of other scripts

from typing import Final

from guardrails.pattern_parts import IdentifierPattern, patterns

_CYRILLIC_NAME: Final = r"(?=\p{Lu})[\p{Cyrillic}]{1,24}(?:-(?=\p{Lu})[\p{Cyrillic}]{2,24})?"
_CYRILLIC: Final = rf"{_CYRILLIC_NAME}(?:[ ]{_CYRILLIC_NAME}){{0,2}}"

SCRIPT_NAMES: Final[tuple[IdentifierPattern, ...]] = patterns(
    (
        "PERSON",
        0.82,
        rf"(?i:(?<!\p{{L}})(?:пользовател\p{{L}}{{1,3}}|сотрудни\p{{L}}{{1,3}}|коллег\p{{L}}{{1,3}}|начальник\p{{L}}{{0,2}}|руководител\p{{L}}{{1,2}}|клиент\p{{L}}{{0,2}}|меня[ ]зовут|имя|фамилия|фио|от|кому|копия|господин\p{{L}}{{0,2}}|госпож\p{{L}}{{1,2}}|г-н|г-жа|уважаем\p{{L}}{{2,3}}|здравствуйте|привет|с[ ]уважением|користувач\p{{L}}{{0,2}}|потребител\p{{L}}{{0,2}}|корисник)[ ]?[,:]?\s{{1,2}})\K{_CYRILLIC}(?!\p{{L}})",
        "пользовател сотрудни коллег начальник руководител клиент зовут имя фамилия фио от кому копия господин госпож г-н г-жа уважаем здравствуйте привет уважением користувач потребител корисник",
    ),
    (
        "PERSON",
        0.8,
        rf"(?<!\p{{L}}){_CYRILLIC_NAME}(?:[ ]{_CYRILLIC_NAME}){{1,2}}(?=[ ](?:не[ ](?:может|смог\p{{L}}{{0,2}}|видит|получает|получил\p{{L}}?)|просит|попросил\p{{L}}?|сообща\p{{L}}{{1,3}}|сообщил\p{{L}}?|пишет|жалуется|звонил\p{{L}}?|уволил\p{{L}}{{1,4}}|работает|забыл\p{{L}}?|потерял\p{{L}}?|хочет|говорит|сказал\p{{L}}?)(?!\p{{L}}))",
        "не просит попросил сообщ пишет жалуется звонил уволил работает забыл потерял хочет говорит сказал",
    ),
    # Japanese: before a title, or before what somebody owns
    (
        "PERSON",
        0.8,
        r"(?<![\p{Han}\p{Katakana}])(?:\p{Han}{2,5}|\p{Han}{1,3}[ \u3000]\p{Han}{1,3}|[\p{Katakana}\u30fc]{2,12}(?:[\u30fb ][\p{Katakana}\u30fc]{2,12})?)(?=[ \u3000]?(?:さん|さま|様|氏|くん|先生|課長|部長|社長)(?!\p{Han}))",
        "さん さま 様 氏 くん 先生 課長 部長 社長",
    ),
    (
        "PERSON",
        0.76,
        r"(?<!\p{Han})(?:\p{Han}{3,5}|\p{Han}{1,3}[ \u3000]\p{Han}{1,3})(?=[ \u3000]?の(?:PC|ＰＣ|パソコン|ノート|端末|アカウント|メール|電話|パスワード|携帯))",
        "の",
    ),
    # after a label, as in a form
    (
        "PERSON",
        0.8,
        r"(?:用户|用戶|员工|員工|同事|我叫|我是|姓名|联系人|聯絡人|申请人|氏名|名前|担当者?|利用者|社員|差出人|宛先)[ ]?[:：は]?[ \u3000]?\K\p{Han}{2,4}(?=[ \u3000,，。、;；()（）\n]|的|无法|不能|\Z)",
        "用户 用戶 员工 員工 同事 我叫 我是 姓名 联系人 聯絡人 申请人 氏名 名前 担当 利用者 社員 差出人 宛先",
    ),
    (
        "PERSON",
        0.8,
        r"(?<!\p{Hangul})\p{Hangul}{2,4}(?=[ ]?(?:씨|님|과장|부장|대리)(?:[이가은는의께을를도]|[ ,.]|\Z))|(?:사용자|직원|이름|성명|담당자)[ ]?[:：][ ]?\K\p{Hangul}{2,4}",
        "씨 님 과장 부장 대리 사용자 직원 이름 성명 담당자",
    ),
)
