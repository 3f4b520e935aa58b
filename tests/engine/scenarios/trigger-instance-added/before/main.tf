resource "test_thing" "a" {
  count = 1
  name = "a${count.index}"
}

resource "test_thing" "b" {
  name = "b"
  lifecycle {
    replace_triggered_by = [test_thing.a]
  }
}
