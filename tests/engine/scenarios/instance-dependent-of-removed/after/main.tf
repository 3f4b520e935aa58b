resource "test_thing" "a" {
  count = 1
  name = "a${count.index}"
}

resource "test_thing" "b" {
  count = 1
  name = "b${count.index}"
  note = test_thing.a[count.index].id
}
