resource "test_thing" "a" {
  for_each = toset(["x", "y"])
  name = "a-${each.key}"
  zone = "1"
  lifecycle {
    create_before_destroy = true
  }
}

resource "test_thing" "b" {
  name = "b"
  parents = [for a in test_thing.a : a.id]
}
