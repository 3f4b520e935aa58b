resource "test_thing" "a" {
  name = "a"
  size = 1
  zone = "y"
}

resource "test_thing" "b" {
  name = "b"
  lifecycle {
    replace_triggered_by = [test_thing.a.size]
  }
}

resource "test_thing" "c" {
  name = "c"
  lifecycle {
    replace_triggered_by = [test_thing.a.id]
  }
}
