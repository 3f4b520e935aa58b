resource "test_thing" "a" {
  count = 2
  name = "a${count.index}"
}

resource "test_thing" "b" {
  count = 2
  name = "b${count.index}"
  note = test_thing.a[count.index].id
}
