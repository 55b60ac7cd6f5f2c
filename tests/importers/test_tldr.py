def sample(model_type, **fields):
    return {"model_type": model_type, "context": "A long post.", "ref_text": "Post.", "sample": "A post.", **fields}


def test_a_model_type_is_a_version_and_a_size_of_instructgpt(run_import, store):
    rows = [sample(name) for name in ("gpt-xl", "sft-6b", "ppo-noptx-175b")]

    assert run_import("tldr-samples", rows).accepted == 3
    assert store.sql("select family, version, size from v_responses where size > 0 order by size").rows() == [
        ("instructgpt", "gpt", 1.3),  # the models called XL have 1.3 billion parameters
        ("instructgpt", "sft", 6.0),
        ("instructgpt", "ppo-noptx", 175.0),
    ]


def test_the_summary_that_a_person_wrote_is_stored_once_per_post(run_import, store):
    run_import("tldr-samples", [sample("gpt-xl"), sample("sft-6b"), sample("sft-xl", context="Other.", ref_text="")])

    assert store.sql("select source, text from v_responses where source_kind = 'human'").rows() == [("human", "Post.")]
    assert store.sql("select count(*) from v_prompts").item() == 2


def test_the_order_of_the_versions_is_stated_with_the_samples(run_import, store):
    run_import("tldr-samples", [sample("gpt-xl")])

    assert store.sql("select family, versions from version_orders").rows() == [
        ("instructgpt", ["gpt", "sft", "ppo-noptx", "ppo-ptx"])
    ]


def test_a_models_table_stands_above_the_name(run_import, store, tmp_path):
    models = tmp_path / "models.csv"
    models.write_text("name,family,version,size\nmine,f,v,7\n")

    run_import("tldr-samples", [sample("mine"), sample("gpt-xl")], models=models)

    assert set(store.sql("select source from v_responses where source_kind = 'model'").to_series()) == {
        "f/v/7",
        "instructgpt/gpt/1.3",
    }


def test_a_name_without_version_and_size_is_refused_with_the_way_out(run_import):
    report = run_import("tldr-samples", [sample(name) for name in ("davinci", "sft-", "sft-large", "-6b")])

    assert report.failed == {"unknown_model": 4}
    assert "rows.jsonl:1: model_type 'davinci' is not VERSION-SIZE; pass --models" in report.first_refusals[0]


def test_samples_are_read_from_csv_as_published(run_import, tmp_path):
    path = tmp_path / "tldr.csv"
    path.write_text(',model_type,context,ref_text,sample\n0,sft-6b,"A\nlong post.",Post.,""\n1,sft-6b,,x,y\n')

    report = run_import("tldr-samples", path)

    assert (report.accepted, report.failed) == (1, {"empty_field": 1})
    assert f"{path}:2: field 'context' is empty" in report.first_refusals
