resource "test_thing" "a" {
  name = "a"
  zone = "y"
}

resource "test_thing" "b" {
  name = "b"
  lifecycle {
    replace_triggered_by = [test_thing.a]
  }
}

resource "test_thing" "c" {
  name = "c"
  lifecycle {
    replace_triggered_by = [test_thing.b]
    create_before_destroy = true
  }
}
