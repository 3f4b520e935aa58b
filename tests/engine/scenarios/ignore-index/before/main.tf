resource "test_thing" "a" {
  name = "a"
  parents = ["1", "2"]
  lifecycle {
    ignore_changes = [parents[0]]
  }
}
