resource "test_thing" "a" {
  name = "a"
  tags = { k = "2", l = "2" }
  lifecycle {
    ignore_changes = [tags["k"]]
  }
}
