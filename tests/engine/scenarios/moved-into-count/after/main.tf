resource "test_thing" "a" {
  count = 2
  name = "a${count.index == 0 ? "" : count.index}"
}

moved {
  from = test_thing.a
  to   = test_thing.a[0]
}
