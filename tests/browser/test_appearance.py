"""Every page on a phone and in the dark: nothing scrolls sideways, and everything can be read."""

import pytest
from django.contrib import admin
from django.urls import reverse

from backoffice.admin import PlatformAdmin
from tests.support.backoffice import one_of_each, run_session

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]

# WCAG asks for 3 where text is large or belongs to a control that is switched off, and for 4.5 else. What is below 3 is
# not read at all.
CONTRAST_MIN = 3.0

# Text of which the contrast with what lies behind it is too low: colours are read as the browser paints them.
UNREADABLE = """(least) => {
    const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const read = (color) => {
        paint.clearRect(0, 0, 1, 1);
        paint.fillStyle = color;
        paint.fillRect(0, 0, 1, 1);
        return [...paint.getImageData(0, 0, 1, 1).data];
    };
    const over = (above, below) => {
        const part = above[3] / 255;
        return [0, 1, 2].map((n) => above[n] * part + below[n] * (1 - part)).concat(255);
    };
    const behind = (element) => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) {
            const layer = read(getComputedStyle(at).backgroundColor);
            layers.push(layer);
            if (layer[3] === 255) break;
        }
        return layers.reduceRight((below, above) => over(above, below), [255, 255, 255, 255]);
    };
    const light = (color) => {
        const [r, g, b] = color.slice(0, 3).map((value) => {
            const part = value / 255;
            return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = new Set();
    const walker = document.createTreeWalker(document.querySelector("#main"), NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const text = walker.currentNode.textContent.trim();
        if (!text || !element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
        if (["SCRIPT", "STYLE", "OPTION"].includes(element.tagName)) continue;
        // Icons are letters too; what they stand beside says it in words.
        if (element.closest(".material-symbols-outlined")) continue;
        const below = behind(element);
        const shades = [light(over(read(getComputedStyle(element).color), below)), light(below)];
        const contrast = (Math.max(...shades) + 0.05) / (Math.min(...shades) + 0.05);
        if (contrast < least) found.add(`${text.slice(0, 40)} (${contrast.toFixed(1)})`);
    }
    return [...found];
}"""


@pytest.fixture
def world(server, staff, master, player, gold, make_room, people, fund, join):
    guests = people(4)
    for guest in guests:
        fund(guest, 5_000)
    room = make_room(name="A room whose name is about as long as a name of a room that people give one can be")
    session = run_session(room, guests, join)
    return one_of_each(room=room, session=session, superuser=staff, player=player, gold=gold)


def addresses(world):
    """The first page, every list, every object's page, and every page that asks before it does."""
    yield reverse("admin:index")
    for name in ("preferences", "second_factor", "password_change"):
        yield reverse(f"admin:{name}")
    for model, pages in admin.site._registry.items():
        start = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{start}_changelist")
        yield reverse(f"{start}_add")
        sample = world.get(model._meta.label_lower)
        if sample is None:
            continue
        yield reverse(f"{start}_change", args=[sample.pk])
        if isinstance(pages, PlatformAdmin):
            for act in pages.acts:
                yield reverse(f"{start}_{act.slug}", args=[sample.pk])


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.nightly)])
def test_each_page_fits_and_can_be_read_light_and_dark(world, visitor, step):
    page = visitor.page
    visitor.sign_in("staff")
    wrong: list[tuple[str, ...]] = []
    seen = 0
    for where in list(addresses(world))[::step]:
        answer = page.goto(visitor.url + where)
        if answer.status == 403:
            # What nobody adds has no form.
            continue
        seen += 1
        for room in (1280, 390):
            page.set_viewport_size({"width": room, "height": 844})
            if (width := page.evaluate("document.documentElement.scrollWidth")) > room:
                wrong.append((where, f"{width} px wide in {room}"))
            visitor.picture(f"{room}{where.replace('/', '-')}")
        for is_dark in (True, False):
            page.evaluate("(on) => document.documentElement.classList.toggle('dark', on)", is_dark)
            if text := page.evaluate(UNREADABLE, CONTRAST_MIN):
                wrong.append((where, "dark" if is_dark else "light", *text))
    assert seen > 100 // step
    assert wrong == []


def test_the_theme_follows_the_browsers(server, staff, visitor):
    for scheme, is_dark in (("dark", True), ("light", False)):
        visitor.page.emulate_media(color_scheme=scheme)
        visitor.sign_in("staff")
        visitor.page.wait_for_function(
            "(on) => document.documentElement.classList.contains('dark') === on", arg=is_dark
        )
        visitor.picture(f"today-{scheme}")
        visitor.sign_out()
