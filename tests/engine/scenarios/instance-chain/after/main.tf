resource "test_thing" "a" {
  count = 2
  name = "a${count.index}"
}

resource "test_thing" "b" {
  name = "b"
  note = test_thing.a[0].id
}

resource "test_thing" "c" {
  count = 2
  name = "c${count.index}"
  note = count.index == 0 ? test_thing.b.id : test_thing.a[1].id
}
