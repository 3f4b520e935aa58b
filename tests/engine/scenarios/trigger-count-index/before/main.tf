resource "test_thing" "a" {
  count = 2
  name = "a${count.index}"
  size = 1
}

resource "test_thing" "b" {
  count = 2
  name = "b${count.index}"
  lifecycle {
    replace_triggered_by = [test_thing.a[count.index].size]
  }
}
