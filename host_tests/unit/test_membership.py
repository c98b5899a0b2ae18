"""The kept record of membership: whole or not at all, and what a virgin device is."""

from lon_support import Settings
from osgp.membership import CONFIG, CONFIGURED, KEYS, UNCONFIGURED, Membership
from support import unhex


def test_a_virgin_device():
    member = Membership(Settings())
    assert member.state == UNCONFIGURED and member.mode == 0 and not member.keyed
    assert not member.domains[0].used
    discovery = member.domains[1]  # profile 18
    assert discovery.used and discovery.length == 6
    assert bytes(discovery.id) == unhex("4F 53 47 50 00 00")
    assert (discovery.subnet, discovery.node) == (0, 0)
    assert bytes(member.unicast_key) == bytes(member.broadcast_key) == bytes(16)


def change(member):
    draft = member.draft()
    draft[0] = CONFIGURED
    draft[1] = 2
    draft[20:36] = bytes(range(16))
    draft[36:52] = bytes(range(16, 32))
    draft[52:54] = b"\x01\x02"
    draft[60] = 1
    member.set_domain(draft, 0, 3, unhex("C0FFEE000000"), 5, 9)
    member.set_address(draft, 14, unhex("01 02 03 04 05"))
    return draft


def test_a_draft_is_nothing_until_it_is_committed():
    member = Membership(Settings())
    change(member)
    assert member.state == UNCONFIGURED and not member.domains[0].used


def test_a_commit_is_kept_and_acted_on():
    settings = Settings()
    member = Membership(settings)
    key = member.unicast_key
    told = []
    member.on_change = lambda: told.append(member.state)
    member.commit(change(member))
    assert told == [CONFIGURED]
    for it in (member, Membership(settings)):  # and after a restart
        assert it.state == CONFIGURED and it.mode == 2 and it.keyed
        assert it.generation == 0x0102
        entry = it.domains[0]
        assert entry.used and entry.length == 3 and bytes(entry.id) == unhex("C0FFEE000000")
        assert (entry.subnet, entry.node) == (5, 9)
        assert it.domains[1].used
        assert bytes(it.unicast_key) == bytes(range(16))
        assert bytes(it.broadcast_key) == bytes(range(16, 32))
        assert bytes(it.addresses[-5:]) == unhex("01 02 03 04 05")
        assert it.image[CONFIG] == 0xC0
    assert bytes(key) == bytes(range(16))  # views stay good


def test_a_commit_that_cannot_be_kept_changes_nothing():
    settings = Settings()
    member = Membership(settings)
    told = []
    member.on_change = lambda: told.append(1)
    before = bytes(member.image)
    settings.broken = True
    try:
        member.commit(change(member))
        raise AssertionError("must say that it failed")
    except OSError:
        pass
    assert bytes(member.image) == before and not told
    assert not member.domains[0].used


def test_a_record_that_is_too_short_is_none():
    settings = Settings()
    settings.kept["member"] = bytes((CONFIGURED,)) * 135
    assert Membership(settings).state == UNCONFIGURED


def test_a_record_of_an_earlier_or_later_version_is_taken():
    settings = Settings()
    member = Membership(settings)
    draft = change(member)
    draft[CONFIG] = 0x88
    draft[KEYS : KEYS + 12] = bytes(range(12))
    member.commit(draft)
    whole = settings.kept["member"]
    settings.kept["member"] = whole[:136]
    it = Membership(settings)
    assert it.image[:CONFIG] == whole[:CONFIG] and it.state == CONFIGURED
    assert it.image[CONFIG] == 0xC0 and not any(it.image[CONFIG + 1 :])
    settings.kept["member"] = whole + b"later"
    assert Membership(settings).image == whole
