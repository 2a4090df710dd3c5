{#
    An AUC, or the paired difference of two, from places by account (`auc_places`, or what is left of one's places after
    another's are subtracted), and its variance by Obuchowski for clustered data (1997): a query of the columns `groups`,
    accounts, positive_accounts, auc, variance, auc_low and auc_high (95 %, not cut at 0 and 1). Two positive and two
    other accounts are needed for a variance.
#}
{% macro clustered_auc(places, groups) %}
    {%- set columns = groups | join(', ') %}
    with

    areas as (

        select
            *,
            sum(positive_places) over (partition by {{ columns }}) / all_positives as auc
        from {{ places }}

    ),

    summed as (

        select
            {{ columns }},
            max(auc) as auc,
            max(all_positives) as all_positives,
            max(all_others) as all_others,
            cast(count(*) as double) as accounts,
            cast(count(*) filter (where positives > 0) as double) as positive_accounts,
            cast(count(*) filter (where others > 0) as double) as other_accounts,
            sum(power(positive_places - positives * auc, 2)) as positive_squares,
            sum(power(other_places - others * auc, 2)) as other_squares,
            sum((positive_places - positives * auc) * (other_places - others * auc)) as products
        from areas
        group by {{ columns }}

    ),

    varied as (

        select
            *,
            case
                when positive_accounts > 1 and other_accounts > 1
                    then greatest(
                        0,
                        positive_accounts / (positive_accounts - 1) * positive_squares / (all_positives * all_positives)
                        + other_accounts / (other_accounts - 1) * other_squares / (all_others * all_others)
                        + 2 * accounts / (accounts - 1) * products / (all_positives * all_others)
                    )
            end as variance
        from summed

    )

    select
        {{ columns }},
        cast(accounts as bigint) as accounts,
        cast(positive_accounts as bigint) as positive_accounts,
        auc,
        variance,
        auc - {{ normal_quantile() }} * sqrt(variance) as auc_low,
        auc + {{ normal_quantile() }} * sqrt(variance) as auc_high
    from varied
{% endmacro %}
